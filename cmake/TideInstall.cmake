# SPDX-License-Identifier: MIT
# What `cmake --install` puts where: libraries, public headers, pkg-config and CMake packages.
include(CMakePackageConfigHelpers)

# tide_install(LIBRARY MODULES...): both kinds of the library, the tide_*.h of its modules.
function(tide_install name)
  install(TARGETS ${name}_static ${name}_shared EXPORT TidepoolTargets)
  foreach(module IN LISTS ARGN)
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/${module}/ TYPE INCLUDE
      FILES_MATCHING PATTERN "tide_*.h")
  endforeach()
  tide_install_pkgconfig(${name})
  tide_install_package()
endfunction()

function(tide_install_pkgconfig name)
  file(RELATIVE_PATH TIDE_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" TIDE_PC_UP ${TIDE_PC_UP})
  configure_file(${CMAKE_SOURCE_DIR}/cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

function(tide_install_package)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/Tidepool)
  install(EXPORT TidepoolTargets NAMESPACE tidepool:: DESTINATION ${folder})
  configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/TidepoolConfig.cmake.in
    TidepoolConfig.cmake INSTALL_DESTINATION ${folder})
  write_basic_package_version_file(TidepoolConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/TidepoolConfig.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/TidepoolConfigVersion.cmake DESTINATION ${folder})
endfunction()
