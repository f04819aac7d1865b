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
set(TIDE_CHECK_ENVIRONMENT "")
if(TIDE_CHECKED) # what is tested is the library as it is installed
  set(TIDE_CHECK_ENVIRONMENT TIDE=check:0)
endif()

# Linked so, a program with heap_faults.c counts the library's allocations and has them fail.
set(TIDE_HEAP_FAULTS -Wl,--wrap=tide__heap_alloc,--wrap=tide__heap_alloc_spread
  -Wl,--wrap=tide__heap_map,--wrap=tide__heap_unmap,--wrap=tide__heap_free
  -Wl,--wrap=tide__heap_alloc_sparse,--wrap=tide__heap_free_sparse)

# tide_check_program(TARGET SOURCES...): an executable with the library and the helpers.
function(tide_check_program target)
  add_executable(${target} ${ARGN} ${TIDE_CHECK_FOLDER}/check.c)
  target_include_directories(${target} PRIVATE ${TIDE_CHECK_FOLDER})
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE
    TIDE_CHECK_EMULATED=$<BOOL:${CMAKE_CROSSCOMPILING}>)
  target_link_libraries(${target} PRIVATE tidepool_static mimalloc PkgConfig::urcu_bp)
  if(NOT TIDE_SANITIZE) # libmimalloc.so has a malloc of its own: libc's comes first
    target_link_options(${target} PRIVATE -Wl,--push-state,--no-as-needed,-lc,--pop-state)
  endif()
endfunction()

# tide_check(NAME SOURCES... [LINK OPTIONS...] [CHECKED_BUT TESTS...]): the programs NAME_test and
# NAME_plain, where they can run, and the tests in them. NAME, without what follows an underscore,
# is the label. With CHECKED_BUT all tests but those run on checked pools too.
function(tide_check name)
  cmake_parse_arguments(arg "" "" "LINK;CHECKED_BUT" ${ARGN})
  set(sources ${arg_UNPARSED_ARGUMENTS})
  set(unchecked ${arg_CHECKED_BUT})
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

# An entry for each Test(suite, name) of the sources, on each body, or on those that the folder
# names in TIDE_CHECK_BODIES: what is above pools need not ask each of them. TIDE_CHECK_SUFFIX,
# when set, tells apart what several programs of the same sources run.
function(tide_check_tests name target)
  set(bodies native portable cpu_id)
  if(CMAKE_CROSSCOMPILING OR TIDE_SANITIZE STREQUAL thread)
    set(bodies native)
  endif()
  if(DEFINED TIDE_CHECK_BODIES)
    set(bodies ${TIDE_CHECK_BODIES})
  endif()
  if(unchecked AND NOT CMAKE_CROSSCOMPILING AND
      (CMAKE_C_COMPILER_ID STREQUAL GNU OR TIDE_SANITIZE MATCHES address))
    list(APPEND bodies checked) # which is no body, but in the same place
  endif()
  foreach(source IN LISTS ARGN)
    set(path ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(STRINGS ${path} tests REGEX "^Test\\(")
    foreach(test IN LISTS tests)
      string(REGEX REPLACE "^Test\\(([a-z]+), ([a-z0-9_]+)\\).*" "\\1;\\2" test ${test})
      list(POP_BACK test sentence)
      foreach(body IN LISTS bodies)
        if(body STREQUAL checked AND sentence IN_LIST unchecked)
          continue()
        endif()
        tide_check_test(${name} ${target} ${test} ${sentence} ${body})
      endforeach()
    endforeach()
  endforeach()
endfunction()

function(tide_check_test name target suite sentence body)
  set(test ${suite}.${sentence})
  set(environment TIDE_TEST_SCALE=${TIDE_CHECK_SCALE} ${TIDE_CHECK_ENVIRONMENT})
  if(CMAKE_CROSSCOMPILING) # an emulator pays for addresses
    list(APPEND environment TIDE=arena-range:4GiB)
  endif()
  if(body STREQUAL checked)
    string(APPEND test .checked)
    set(environment TIDE_TEST_SCALE=20 TIDE=check:1,drop:0)
  elseif(NOT body STREQUAL native)
    string(APPEND test .${body})
    list(APPEND environment TIDE_TEST_BODY=${body})
  endif()
  string(APPEND test "${TIDE_CHECK_SUFFIX}")
  set(choice -j1 --timeout 100 --filter ${suite}/${sentence})
  if(target MATCHES "_plain$")
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
    ENVIRONMENT "TIDE_TEST_SCALE=100;${TIDE_CHECK_ENVIRONMENT}")
endfunction()
