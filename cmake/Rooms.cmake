# One room is one folder under src/ and one static library. The link list of a room is its row of
# the table in docs/architecture.md section 2; tools/check_includes holds the includes to the same table.

# hadal_room(NAME SOURCES a.cc ... [TARGET target] [DEPENDS room ...] [LIBRARIES target ...] [TESTS a_test.cc ...])
#   TARGET     the library's target; hadal_NAME unless given. Rooms find each other as hadal_room::NAME
#   DEPENDS    rooms that the public headers of this room may include
#   LIBRARIES  outside libraries, kept private to the room
#   TESTS      unit tests beside the sources; all of a room's tests are one program
function(hadal_room name)
  cmake_parse_arguments(ROOM "" "TARGET" "SOURCES;DEPENDS;LIBRARIES;TESTS" ${ARGN})
  if(NOT ROOM_TARGET)
    set(ROOM_TARGET hadal_${name})
  endif()
  add_library(${ROOM_TARGET} STATIC ${ROOM_SOURCES})
  add_library(hadal_room::${name} ALIAS ${ROOM_TARGET})
  target_include_directories(${ROOM_TARGET} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${ROOM_TARGET} PRIVATE hadal_options)
  foreach(dependency IN LISTS ROOM_DEPENDS)
    target_link_libraries(${ROOM_TARGET} PUBLIC hadal_room::${dependency})
  endforeach()
  if(ROOM_LIBRARIES)
    target_link_libraries(${ROOM_TARGET} PRIVATE ${ROOM_LIBRARIES})
  endif()
  set_property(GLOBAL APPEND PROPERTY HADAL_ROOMS ${ROOM_TARGET})
  if(ROOM_TESTS AND HADAL_TESTS)
    hadal_test(${name}_test SOURCES ${ROOM_TESTS} DEPENDS ${name} LABEL unit)
  endif()
endfunction()

# hadal_test(NAME SOURCES ... DEPENDS room ... LABEL unit|golden|determinism [TIMEOUT seconds])
# One GoogleTest program, one ctest entry. HADAL_SHARED_DIR in the environment names the folder with
# the shared goldens; a test that needs it says so and is counted as skipped where it is absent.
function(hadal_test name)
  cmake_parse_arguments(TEST "" "LABEL;TIMEOUT" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE hadal_options GTest::gtest GTest::gtest_main ${TEST_LIBRARIES})
  foreach(dependency IN LISTS TEST_DEPENDS)
    target_link_libraries(${name} PRIVATE hadal_room::${dependency})
  endforeach()
  target_compile_definitions(${name} PRIVATE HADAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  add_test(NAME ${name} COMMAND ${name})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)  # ends what hangs; seconds of work take minutes on a machine that has others
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABEL}" TIMEOUT ${TEST_TIMEOUT})
endfunction()

# hadal_fuzz(NAME SOURCES fuzz.cc [room sources ...]): a libFuzzer program (clang only) that compiles the
# sources that it needs itself, so that they carry coverage instrumentation without a second build tree.
function(hadal_fuzz name)
  if(NOT HADAL_FUZZ)
    return()
  endif()
  cmake_parse_arguments(FUZZ "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${FUZZ_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${name} PRIVATE hadal_options ${FUZZ_LIBRARIES})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -g)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
endfunction()
