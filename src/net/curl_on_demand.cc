// libcurl's functions as this folder uses them, each of which loads the library at its first call.
// libcurl brings some 25 libraries along (Kerberos, LDAP, GnuTLS, ...). Linked in the usual way
// they take most of the time that a short command lives, and memory in every executor, where curl
// is never called at all.

#include "net/curl_on_demand.h"

#include <dlfcn.h>

namespace {

/// Stays until the process ends. Null if there is no libcurl.
void* library() {
    static void* const loaded = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    return loaded;
}

template <class Function>
Function* symbol(const char* name) {
    void* const from = library();
    return from == nullptr ? nullptr : reinterpret_cast<Function*>(::dlsym(from, name));
}

} // namespace

namespace ic::net {

decltype(&curl_easy_setopt) easy_setopt() {
    static auto* const real = symbol<decltype(curl_easy_setopt)>("curl_easy_setopt");
    return real;
}

decltype(&curl_easy_getinfo) easy_getinfo() {
    static auto* const real = symbol<decltype(curl_easy_getinfo)>("curl_easy_getinfo");
    return real;
}

} // namespace ic::net

// Where there is no library: the functions that make a handle give none, as when memory is short,
// and nobody calls the others without a handle.
#define IC_ON_DEMAND(function, otherwise, ...)                                                     \
    static auto* const real = symbol<decltype(function)>(#function);                               \
    return real == nullptr ? otherwise : real(__VA_ARGS__)

extern "C" {

CURL* curl_easy_init() { IC_ON_DEMAND(curl_easy_init, nullptr); }

void curl_easy_cleanup(CURL* handle) { IC_ON_DEMAND(curl_easy_cleanup, void(), handle); }

CURLcode curl_easy_pause(CURL* handle, int mask) {
    IC_ON_DEMAND(curl_easy_pause, CURLE_FAILED_INIT, handle, mask);
}

const char* curl_easy_strerror(CURLcode code) {
    IC_ON_DEMAND(curl_easy_strerror, "libcurl is not installed", code);
}

CURLM* curl_multi_init() { IC_ON_DEMAND(curl_multi_init, nullptr); }

CURLMcode curl_multi_cleanup(CURLM* multi) {
    IC_ON_DEMAND(curl_multi_cleanup, CURLM_INTERNAL_ERROR, multi);
}

CURLMcode curl_multi_add_handle(CURLM* multi, CURL* handle) {
    IC_ON_DEMAND(curl_multi_add_handle, CURLM_INTERNAL_ERROR, multi, handle);
}

CURLMcode curl_multi_remove_handle(CURLM* multi, CURL* handle) {
    IC_ON_DEMAND(curl_multi_remove_handle, CURLM_INTERNAL_ERROR, multi, handle);
}

CURLMcode curl_multi_perform(CURLM* multi, int* running) {
    IC_ON_DEMAND(curl_multi_perform, CURLM_INTERNAL_ERROR, multi, running);
}

CURLMcode
curl_multi_poll(CURLM* multi, curl_waitfd fds[], unsigned count, int timeout_ms, int* ready) {
    IC_ON_DEMAND(curl_multi_poll, CURLM_INTERNAL_ERROR, multi, fds, count, timeout_ms, ready);
}

CURLMsg* curl_multi_info_read(CURLM* multi, int* left) {
    IC_ON_DEMAND(curl_multi_info_read, nullptr, multi, left);
}

CURLU* curl_url() { IC_ON_DEMAND(curl_url, nullptr); }

CURLU* curl_url_dup(CURLU* url) { IC_ON_DEMAND(curl_url_dup, nullptr, url); }

void curl_url_cleanup(CURLU* url) { IC_ON_DEMAND(curl_url_cleanup, void(), url); }

CURLUcode curl_url_set(CURLU* url, CURLUPart part, const char* text, unsigned flags) {
    IC_ON_DEMAND(curl_url_set, CURLUE_BAD_HANDLE, url, part, text, flags);
}

CURLUcode curl_url_get(CURLU* url, CURLUPart part, char** text, unsigned flags) {
    IC_ON_DEMAND(curl_url_get, CURLUE_BAD_HANDLE, url, part, text, flags);
}

const char* curl_url_strerror(CURLUcode code) {
    IC_ON_DEMAND(curl_url_strerror, "libcurl is not installed", code);
}

curl_slist* curl_slist_append(curl_slist* list, const char* text) {
    IC_ON_DEMAND(curl_slist_append, nullptr, list, text);
}

void curl_slist_free_all(curl_slist* list) { IC_ON_DEMAND(curl_slist_free_all, void(), list); }

void curl_free(void* text) { IC_ON_DEMAND(curl_free, void(), text); }

} // extern "C"

#undef IC_ON_DEMAND
