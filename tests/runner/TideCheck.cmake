# SPDX-License-Identifier: MIT
# Tests written against check.h as ctest entries: one for each test and each body of percpu.h.
set(TIDE_CHECK_FOLDER ${CMAKE_CURRENT_LIST_DIR})
set(TIDE_CHECK_PLAIN_ONLY OFF)
set(TIDE_CHECK_SCALE 1)
if(TIDE_SANITIZE OR CMAKE_CROSSCOMPILING)
  set(TIDE_CHECK_PLAIN_ONLY ON) # Criterion cannot run there, or hides leaks
  set(TIDE_CHECK_SCALE 20)
endif()
if(CMAKE_CROSSCOMPILING)
  set(TIDE_CHECK_SCALE 50)
endif()
if(NOT TIDE_CHECK_PLAIN_ONLY)
  pkg_check_modules(criterion REQUIRED IMPORTED_TARGET criterion)
endif()
find_program(TIDE_VALGRIND valgrind)

# tide_check_program(TARGET SOURCES...): an executable with the library and the helpers.
function(tide_check_program target)
  add_executable(${target} ${ARGN} ${TIDE_CHECK_FOLDER}/check.c)
  target_include_directories(${target} PRIVATE ${TIDE_CHECK_FOLDER})
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_link_libraries(${target} PRIVATE tidepool_static mimalloc PkgConfig::urcu_bp)
  if(NOT TIDE_SANITIZE) # libmimalloc.so has a malloc of its own: libc's comes first
    target_link_options(${target} PRIVATE -Wl,--push-state,--no-as-needed,-lc,--pop-state)
  endif()
endfunction()

# tide_check(NAME SOURCES... [LINK OPTIONS...]): the programs NAME_test and NAME_plain, where
# they can run, and the tests in them. NAME, without what follows an underscore, is the label.
function(tide_check name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  set(sources ${arg_UNPARSED_ARGUMENTS})
  tide_check_program(${name}_plain ${sources} ${TIDE_CHECK_FOLDER}/plain.c)
  target_compile_definitions(${name}_plain PRIVATE TIDE_CHECK_PLAIN)
  target_link_options(${name}_plain PRIVATE ${arg_LINK})
  if(TIDE_CHECK_PLAIN_ONLY)
    tide_check_tests(${name} ${name}_plain ${sources})
    return()
  endif()
  tide_check_program(${name}_test ${sources})
  target_link_libraries(${name}_test PRIVATE PkgConfig::criterion)
  target_link_options(${name}_test PRIVATE ${arg_LINK})
  tide_check_tests(${name} ${name}_test ${sources})
  tide_check_valgrind(${name})
endfunction()

# An entry for each Test(suite, name) of the sources, on each body; on the native one only where
# TIDE_CHECK_ONE_BODY is set, by modules that reach the bodies through pools.
function(tide_check_tests name target)
  set(bodies native portable cpu_id)
  if(TIDE_CHECK_ONE_BODY)
    set(bodies native)
  endif()
  if(CMAKE_CROSSCOMPILING OR TIDE_SANITIZE STREQUAL thread)
    set(bodies native)
  endif()
  foreach(source IN LISTS ARGN)
    set(path ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(STRINGS ${path} tests REGEX "^Test\\(")
    foreach(test IN LISTS tests)
      string(REGEX REPLACE "^Test\\(([a-z]+), ([a-z0-9_]+)\\).*" "\\1;\\2" test ${test})
      list(POP_BACK test sentence)
      foreach(body IN LISTS bodies)
        tide_check_test(${name} ${target} ${test} ${sentence} ${body})
      endforeach()
    endforeach()
  endforeach()
endfunction()

function(tide_check_test name target suite sentence body)
  set(test ${suite}.${sentence})
  set(environment TIDE_TEST_SCALE=${TIDE_CHECK_SCALE})
  if(CMAKE_CROSSCOMPILING) # an emulator pays for addresses
    list(APPEND environment TIDE=arena-range:4GiB)
  endif()
  if(NOT body STREQUAL native)
    string(APPEND test .${body})
    list(APPEND environment TIDE_TEST_BODY=${body})
  endif()
  set(choice -j1 --timeout 100 --filter ${suite}/${sentence})
  if(TIDE_CHECK_PLAIN_ONLY)
    set(choice ${sentence})
  endif()
  add_test(NAME ${test} COMMAND ${target} ${choice})
  string(REGEX REPLACE "_.*" "" label ${name})
  set_tests_properties(${test} PROPERTIES LABELS ${label} ENVIRONMENT "${environment}"
    TIMEOUT 120 FAIL_REGULAR_EXPRESSION "Tested: 0")
endfunction()

# All tests of a program in one process under valgrind, which has no restartable sequences.
function(tide_check_valgrind name)
  if(NOT TIDE_VALGRIND)
    return()
  endif()
  add_test(NAME valgrind.${name} COMMAND ${TIDE_VALGRIND} --quiet --error-exitcode=9
    --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite
    --fair-sched=yes
    $<TARGET_FILE:${name}_plain>)
  set_tests_properties(valgrind.${name} PROPERTIES LABELS valgrind TIMEOUT 280
    ENVIRONMENT TIDE_TEST_SCALE=100)
endfunction()
