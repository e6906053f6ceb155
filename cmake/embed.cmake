# ic_embed(TARGET HEADER FUNCTION PATH=FILE...)
#
# Compiles text files into TARGET. HEADER (below src/) declares
#   std::span<const EmbeddedFile> FUNCTION();
# which gives {PATH, content of FILE} for each pair. Also the script that writes the source: CMake
# runs this file again with -P at build time.
if(CMAKE_SCRIPT_MODE_FILE)
  set(text "#include \"${HEADER}\"\n\nnamespace ic::cli {\nnamespace {\n\n")
  string(APPEND text "constexpr EmbeddedFile files[] = {\n")
  string(REPLACE "|" ";" PAIRS "${PAIRS}")
  foreach(pair IN LISTS PAIRS)
    string(REGEX MATCH "^([^=]+)=(.+)$" _ "${pair}")
    file(READ "${CMAKE_MATCH_2}" content)
    string(APPEND text "    {\"${CMAKE_MATCH_1}\", R\"ic-file(${content})ic-file\"},\n")
  endforeach()
  string(APPEND text "};\n\n} // namespace\n\n")
  string(APPEND text "std::span<const EmbeddedFile> ${FUNCTION}() { return files; }\n\n")
  string(APPEND text "} // namespace ic::cli\n")
  file(WRITE "${OUT}" "${text}")
  return()
endif()

function(ic_embed target header function)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${function}.cc")
  foreach(pair IN LISTS ARGN)
    string(REGEX REPLACE "^[^=]+=" "" file "${pair}")
    list(APPEND files "${file}")
  endforeach()
  string(REPLACE ";" "|" pairs "${ARGN}")
  add_custom_command(OUTPUT "${out}" VERBATIM
    COMMAND "${CMAKE_COMMAND}" "-DHEADER=${header}" "-DFUNCTION=${function}" "-DOUT=${out}"
            "-DPAIRS=${pairs}" -P "${PROJECT_SOURCE_DIR}/cmake/embed.cmake"
    DEPENDS ${files} "${PROJECT_SOURCE_DIR}/cmake/embed.cmake")
  target_sources(${target} PRIVATE "${out}")
endfunction()
