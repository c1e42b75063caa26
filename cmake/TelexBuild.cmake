# How every part of Telex is compiled, and the two functions that declare a room and its tests.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Threads REQUIRED)

option(TELEX_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(TELEX_TSAN "ThreadSanitizer" OFF)
option(TELEX_COVERAGE "gcov instrumentation" OFF)
option(TELEX_FUZZ "libFuzzer targets (clang)" OFF)

add_compile_options(
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wundef -Wvla -Wstrict-prototypes
  -Wmissing-prototypes -Wmissing-declarations -Wpointer-arith -Wcast-align -Wwrite-strings -Wimplicit-fallthrough
  -Wno-missing-field-initializers -fno-strict-aliasing -fno-common -g)
add_compile_definitions(_GNU_SOURCE TELEX_VERSION="${PROJECT_VERSION}")

if(TELEX_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(TELEX_TSAN)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()
if(TELEX_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(TELEX_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # The OpenSSF hardening guide's set for C.
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

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
