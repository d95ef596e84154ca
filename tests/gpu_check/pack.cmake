# Fills .gpu with what gpu_check needs and a machine without packages lacks:
#   cmake -DINCLUDES="DIR;DIR" [-DSOURCE=ROOT] [-DPACK=FOLDER] [-DPACK_MODEL=PROGRAM]
#         -P tests/gpu_check/pack.cmake
# INCLUDES: folders among which one holds Eigen/ and one nlohmann/. Headers travel as one archive;
# unpacked they would not fit beside tests/data. PROGRAM: pack_model (developer/), which takes the
# first layers of a model where that is in the cache.
cmake_minimum_required(VERSION 3.25)

if(NOT SOURCE)
  get_filename_component(SOURCE ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
endif()
if(NOT PACK)
  set(PACK ${SOURCE}/.gpu)
endif()
set(pack ${PACK})
include(${CMAKE_CURRENT_LIST_DIR}/tree_size.cmake)

file(REMOVE_RECURSE ${pack})
foreach(header Eigen/Core nlohmann/json.hpp)
  get_filename_component(library ${header} DIRECTORY)
  set(found "")
  foreach(folder ${INCLUDES})
    if(NOT found AND EXISTS ${folder}/${header})
      set(found ${folder}/${library})
    endif()
  endforeach()
  if(NOT found)
    message(FATAL_ERROR "pack.cmake: none of INCLUDES ('${INCLUDES}') holds ${header}")
  endif()
  file(COPY ${found} DESTINATION ${pack}/staged)
endforeach()
execute_process(COMMAND ${CMAKE_COMMAND} -E tar czf ${pack}/include.tar.gz Eigen nlohmann
                WORKING_DIRECTORY ${pack}/staged COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${pack}/staged)

if(PACK_MODEL)
  execute_process(COMMAND ${PACK_MODEL} ${pack}/model ${SOURCE}/tests/data/oracle/greedy.json
                  COMMAND_ERROR_IS_FATAL ANY)
endif()

# The copy has no history to ask.
execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=* WORKING_DIRECTORY ${SOURCE}
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${pack}/commit "${commit}\n")

file(GLOB_RECURSE packed ${pack}/*)
set(pack_bytes 0)
foreach(name IN LISTS packed)
  file(SIZE ${name} bytes)
  math(EXPR pack_bytes "${pack_bytes} + ${bytes}")
endforeach()

math(EXPR total_bytes "${tree_bytes} + ${pack_bytes}")
foreach(what tree data pack total)
  math(EXPR tenths "${${what}_bytes} * 10 / 1048576")
  math(EXPR whole "${tenths} / 10")
  math(EXPR rest "${tenths} % 10")
  set(${what}_text "${whole}.${rest} MiB")
endforeach()
set(sizes "tree ${tree_text} (tests/data ${data_text} of it) + .gpu ${pack_text} = ${total_text}")
if(total_bytes GREATER max_bytes)
  message(FATAL_ERROR "pack.cmake: ${sizes}, more than 64 MiB: leave files out of tests/data or .gpu")
endif()
message(STATUS "gpu_pack: ${sizes}; may be 64 MiB")
