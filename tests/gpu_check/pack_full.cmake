# Makes the folder PARTS, of a whole model in parts that may each be copied beside the tree:
#   cmake -DPACK_MODEL=PROGRAM [-DSOURCE=ROOT] [-DPARTS=FOLDER] -P tests/gpu_check/pack_full.cmake
# PROGRAM: pack_model (developer/), which knows where the model is.
cmake_minimum_required(VERSION 3.25)

if(NOT SOURCE)
  get_filename_component(SOURCE ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
endif()
if(NOT PARTS)
  set(PARTS ${SOURCE}/.gpu_full)
endif()

execute_process(COMMAND ${PACK_MODEL} --file OUTPUT_VARIABLE model OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
include(${CMAKE_CURRENT_LIST_DIR}/tree_size.cmake)
math(EXPR room "${max_bytes} - ${tree_bytes}")
if(room LESS 1048576)
  message(FATAL_ERROR "pack_full.cmake: the tree leaves ${room} bytes of ${max_bytes}: leave files out of tests/data")
endif()
execute_process(COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/parts.sh split ${model} ${PARTS} ${room}
                COMMAND_ERROR_IS_FATAL ANY)
