# How every part of Telex is compiled, and the functions that declare a room, its tests and its fuzz targets.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Threads REQUIRED)

# Everything is on by default; the presets choose. `make` alone needs neither the test nor the bench packages.
option(TELEX_TESTS "unit tests, simulation, examples and the replay of the fuzz corpora (cmocka)" ON)
option(TELEX_BENCH "benchmarks side by side with libre and GNU oSIP" ON)
option(TELEX_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(TELEX_TSAN "ThreadSanitizer" OFF)
option(TELEX_COVERAGE "gcov instrumentation" OFF)
option(TELEX_FUZZ "libFuzzer targets (clang)" OFF)

find_program(TELEX_CCACHE ccache)
if(TELEX_CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${TELEX_CCACHE})
endif()

# Assertions are for a programmer's errors and stay on in every build: no NDEBUG anywhere.
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2")

add_compile_options(
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wundef -Wvla -Wstrict-prototypes
  -Wmissing-prototypes -Wmissing-declarations -Wpointer-arith -Wcast-align -Wwrite-strings -Wimplicit-fallthrough
  -Wno-missing-field-initializers -fno-strict-aliasing -fno-common -g)
add_compile_definitions(_GNU_SOURCE TELEX_VERSION="${PROJECT_VERSION}")

if(TELEX_SANITIZE)
  add_compile_options(-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(TELEX_TSAN)
  add_compile_options(-O1 -fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()
if(TELEX_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(TELEX_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "TELEX_FUZZ needs clang: configure with the preset `fuzz` (or CC=clang)")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_custom_target(fuzz_targets)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # The OpenSSF hardening guide's set for C.
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    add_compile_options(-fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    add_compile_options(-mbranch-protection=standard)
  endif()
endif()

# telex_room(<room> SOURCES ... [USES <rooms>...] [LIBS <libraries>...]): one static library. A room's headers are found as
# "<room>/x.h"; `make lint` holds the table of who may include whom.
function(telex_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LIBS" ${ARGN})
  add_library(telex_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(telex_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  list(TRANSFORM ROOM_USES PREPEND telex_)
  target_link_libraries(telex_${name} PUBLIC ${ROOM_USES} ${ROOM_LIBS})
endfunction()

# telex_unit_tests(<room>): one executable for each tests/unit/<room>/*_test.c
function(telex_unit_tests room)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${room}/*_test.c)
  file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${room}/support/*.c)
  foreach(source ${tests})
    get_filename_component(name ${source} NAME_WE)
    set(target unit_${room}_${name})
    add_executable(${target} ${source} ${support})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/${room})
    target_compile_definitions(${target} PRIVATE TEST_DATA_DIR="${CMAKE_SOURCE_DIR}/tests/data")
    target_link_libraries(${target} PRIVATE telex_${room} PkgConfig::CMOCKA)
    add_test(NAME ${target} COMMAND ${target})
    set_tests_properties(${target} PROPERTIES TIMEOUT 120 LABELS unit)
  endforeach()
endfunction()

# telex_fuzz_target(<name> <rooms>...): fuzz/<name>_fuzz.c, which defines LLVMFuzzerTestOneInput. Under the preset `fuzz` it explores;
# in every other build fuzz/replay.c drives it over the kept inputs, fuzz/corpus/<name>/ and fuzz/regressions/<name>/, as an ordinary test.
function(telex_fuzz_target name)
  set(target fuzz_${name})
  set(rooms ${ARGN})
  list(TRANSFORM rooms PREPEND telex_)
  if(TELEX_FUZZ)
    add_executable(${target} ${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.c)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets ${target})
  else()
    add_executable(${target} ${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.c ${CMAKE_SOURCE_DIR}/fuzz/replay.c)
    add_test(NAME ${target} COMMAND ${target} ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name} ${CMAKE_SOURCE_DIR}/fuzz/regressions/${name})
    set_tests_properties(${target} PROPERTIES TIMEOUT 120 LABELS fuzz)
  endif()
  target_compile_options(${target} PRIVATE -Wno-missing-prototypes -Wno-missing-declarations) # libFuzzer's entry has no header
  target_link_libraries(${target} PRIVATE ${rooms})
endfunction()
