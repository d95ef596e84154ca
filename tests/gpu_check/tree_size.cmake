# What travels of SOURCE beside what is packed: the files that git knows or would take. Sets
# tree_bytes, data_bytes (of tests/data among them) and max_bytes.
set(max_bytes 67108864) # what may be copied at a time
execute_process(COMMAND git -c core.quotepath=false ls-files --cached --others --exclude-standard
                WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE names COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "\n$" "" names "${names}")
string(REPLACE "\n" ";" names "${names}")
set(tree_bytes 0)
set(data_bytes 0)
foreach(name IN LISTS names)
  if(EXISTS "${SOURCE}/${name}")
    file(SIZE "${SOURCE}/${name}" bytes)
    math(EXPR tree_bytes "${tree_bytes} + ${bytes}")
    if(name MATCHES "^tests/data/")
      math(EXPR data_bytes "${data_bytes} + ${bytes}")
    endif()
  endif()
endforeach()
