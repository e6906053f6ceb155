#pragma once
/// libcurl, loaded at the first call of one of its functions: curl_on_demand.cc defines those that
/// this folder calls. Here are the two with variable arguments, which nothing can pass on.

#include <curl/curl.h>

namespace ic::net {

/// `curl_easy_setopt`; null if there is no libcurl, and then there is no handle either.
/// Threads: any.
decltype(&curl_easy_setopt) easy_setopt();

/// `curl_easy_getinfo`, in the same way.
decltype(&curl_easy_getinfo) easy_getinfo();

} // namespace ic::net
