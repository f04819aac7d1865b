# SPDX-License-Identifier: MIT
# Modules as CMake targets, each with its own include directory, and the library made of them.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(TIDE_PARTS cli examples bench tests CACHE STRING "What to build above the library")
set(TIDE_SANITIZE "" CACHE STRING
  "Sanitizers for everything, as in -fsanitize=: address,undefined or thread")
string(COMPARE EQUAL "${CMAKE_BUILD_TYPE}" Debug debug)
option(TIDE_CHECKED "Pools are checked unless the environment has TIDE=check:0" ${debug})

add_compile_options(-Wall -Wextra -Wshadow -Wno-unused-parameter
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)
if(TIDE_SANITIZE)
  add_compile_options(-fsanitize=${TIDE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TIDE_SANITIZE})
endif()

include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(mimalloc REQUIRED)
pkg_check_modules(urcu_bp REQUIRED IMPORTED_TARGET liburcu-bp)

# tide_module(NAME USES MODULES... FILES SOURCES...): objects of NAME/, which sees USES only.
function(tide_module name)
  cmake_parse_arguments(arg "" "" "USES;FILES" ${ARGN})
  list(TRANSFORM arg_FILES PREPEND ${CMAKE_SOURCE_DIR}/${name}/)
  add_library(tide_${name} OBJECT ${arg_FILES})
  target_include_directories(tide_${name} PUBLIC ${CMAKE_SOURCE_DIR}/${name})
  list(TRANSFORM arg_USES PREPEND tide_)
  target_link_libraries(tide_${name} PUBLIC ${arg_USES} mimalloc PkgConfig::urcu_bp
    Threads::Threads)
  target_compile_definitions(tide_${name} PRIVATE _GNU_SOURCE)
endfunction()

# tide_library(NAME MODULES...): lib<NAME>.a and lib<NAME>.so of the modules.
function(tide_library name)
  foreach(module IN LISTS ARGN)
    list(APPEND objects $<TARGET_OBJECTS:tide_${module}>)
    list(APPEND folders $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/${module}>)
  endforeach()
  foreach(kind STATIC SHARED)
    string(TOLOWER ${kind} suffix)
    set(target ${name}_${suffix})
    add_library(${target} ${kind} ${objects})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} VERSION ${PROJECT_VERSION}
      SOVERSION ${PROJECT_VERSION_MAJOR})
    target_include_directories(${target} PUBLIC ${folders} 
      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} PRIVATE mimalloc PkgConfig::urcu_bp PUBLIC Threads::Threads)
  endforeach()
  # nodelete: the kernel may hold the address of a sequence's descriptor after a dlclose.
  target_link_options(${name}_shared PRIVATE -Wl,-z,nodelete -Wl,-Bsymbolic-functions
    -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/exports.map)
  if(NOT TIDE_SANITIZE) # clang leaves the names of a sanitizer's run-time to the program
    target_link_options(${name}_shared PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${name}_shared PROPERTIES
    LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/exports.map)
  add_library(tidepool::${name} ALIAS ${name}_static)
endfunction()

# tide_part(FOLDER): a folder above the library, unless TIDE_PARTS leaves it out.
function(tide_part folder)
  if(folder IN_LIST TIDE_PARTS)
    add_subdirectory(${folder})
  endif()
endfunction()
