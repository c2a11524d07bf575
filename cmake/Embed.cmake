# aff_embed_text(LIBRARY NAME pattern...): builds the files into the library as
#   const struct aff_embedded NAME[] = {{"file name", text, size}, ..., {NULL, NULL, 0}};
# (core/base/embedded.h), in the order of their names.

function(aff_embed_text library name)
    set(files)
    foreach(pattern IN LISTS ARGN)
        file(GLOB found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${pattern})
        list(APPEND files ${found})
    endforeach()
    list(SORT files)
    set(out ${CMAKE_BINARY_DIR}/embedded/${name}.c)
    add_custom_command(
        OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAME=${name} "-DFILES=${files}"
                -P ${CMAKE_SOURCE_DIR}/cmake/EmbedScript.cmake
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/EmbedScript.cmake
        VERBATIM)
    target_sources(aff_${library} PRIVATE ${out})
endfunction()
