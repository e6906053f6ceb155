# ic_native: the static library that tools/native builds from native/ (Wasmtime's C API), once per
# content, into the cache outside the clone.
execute_process(COMMAND "${PROJECT_SOURCE_DIR}/tools/native" OUTPUT_VARIABLE _native
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/native/Cargo.lock" "${PROJECT_SOURCE_DIR}/native/src/lib.rs"
  "${PROJECT_SOURCE_DIR}/native/src/hash.rs")
find_package(Threads REQUIRED)
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
  # Rust's synchronisation is invisible to the sanitizer: as a shared object of its own it is left
  # out as a whole (ignore_noninstrumented_modules in the tsan preset).
  set(_library "${CMAKE_BINARY_DIR}/libic_native.so")
  if("${_native}/libic_native.a" IS_NEWER_THAN "${_library}")
    execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -shared -o "${_library}" -Wl,--whole-archive
      "${_native}/libic_native.a" -Wl,--no-whole-archive -lpthread -ldl -lm COMMAND_ERROR_IS_FATAL ANY)
  endif()
  add_library(ic_native SHARED IMPORTED GLOBAL)
  set_target_properties(ic_native PROPERTIES IMPORTED_NO_SONAME ON)
else()
  set(_library "${_native}/libic_native.a")
  add_library(ic_native STATIC IMPORTED GLOBAL)
endif()
set_target_properties(ic_native PROPERTIES IMPORTED_LOCATION "${_library}")
target_include_directories(ic_native SYSTEM INTERFACE "${_native}/include")
target_link_libraries(ic_native INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
