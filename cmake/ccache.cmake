# Compilers run through ccache where it is installed. What it needs is set here, for every way to
# start a build: the cache lies beside our other caches, bounded, and a clone elsewhere finds what this
# one compiled (module.cmake's -ffile-prefix-map keeps paths out of objects).
find_program(IC_CCACHE ccache)
if(IC_CCACHE)
  if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(_cache "$ENV{XDG_CACHE_HOME}/ipfs-compute")
  else()
    set(_cache "$ENV{HOME}/.cache/ipfs-compute")
  endif()
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_DIR=${_cache}/ccache"
    "CCACHE_MAXSIZE=5G" "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "CCACHE_NOHASHDIR=1" "${IC_CCACHE}")
endif()
