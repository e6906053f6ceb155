# ic_native: the static library that tools/native builds from native/ (Wasmtime's C API), once per
# content, into the cache outside the clone.
execute_process(COMMAND "${PROJECT_SOURCE_DIR}/tools/native" OUTPUT_VARIABLE _native
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/native/Cargo.lock" "${PROJECT_SOURCE_DIR}/native/src/lib.rs")
find_package(Threads REQUIRED)
add_library(ic_native STATIC IMPORTED GLOBAL)
set_target_properties(ic_native PROPERTIES IMPORTED_LOCATION "${_native}/libic_native.a")
target_include_directories(ic_native SYSTEM INTERFACE "${_native}/include")
target_link_libraries(ic_native INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
