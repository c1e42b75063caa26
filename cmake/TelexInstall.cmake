# What `make install` puts where: the programs, the service and an example of its configuration.

include(GNUInstallDirs)

foreach(program telexd telexctl telex)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

install(FILES ${CMAKE_SOURCE_DIR}/packaging/telexd.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
configure_file(${CMAKE_SOURCE_DIR}/packaging/telexd.service.in ${CMAKE_BINARY_DIR}/packaging/telexd.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/packaging/telexd.service DESTINATION lib/systemd/system)
