#include "executor/wasm/testing/compile_bomb.h"

#include "multiformats/varint.h"

#include <initializer_list>
#include <string_view>

namespace ic::executor::wasm {
namespace {

// Binary format: WebAssembly core specification 2.0, sections 5.3 to 5.5. Its unsigned LEB128 is
// the same as a shortest varint.

void append(Bytes& out, std::initializer_list<std::uint8_t> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_section(Bytes& out, std::uint8_t id, const Bytes& content) {
    out.push_back(id);
    append_varint(out, content.size());
    out.insert(out.end(), content.begin(), content.end());
}

Bytes body_of(const CompileBombOptions& options) {
    Bytes body;
    append_varint(body, 1); // One run of locals,
    append_varint(body, options.locals);
    append(body, {0x7f}); // of type i32.
    for (std::uint32_t block = 0; block < options.blocks; ++block) {
        append(body, {0x02, 0x40}); // block, no result
    }
    for (std::uint32_t block = 0; block < options.blocks; ++block) {
        append(body, {0x20, 0x00, 0x0d, 0x00}); // local.get 0, br_if 0
        append(body, {0x20, 0x00, 0x21});       // local.get 0, local.set
        append_varint(body, 1 + block % (options.locals - 1));
        append(body, {0x0b}); // end
    }
    append(body, {0x41, 0x00}); // i32.const 0
    for (std::uint32_t local = 0; local < options.locals; ++local) {
        body.push_back(0x20); // local.get
        append_varint(body, local);
        append(body, {0x6a}); // i32.add
    }
    append(body, {0x0b});
    return body;
}

} // namespace

Bytes compile_bomb(const CompileBombOptions& options) {
    Bytes module{0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00};
    append_section(module, 1, {1, 0x60, 0, 1, 0x7f}); // Type: () -> i32.
    append_section(module, 3, {1, 0});                // Function 0 has type 0.
    append_section(module, 7, {1, 3, 'r', 'u', 'n', 0, 0});
    const Bytes body = body_of(options);
    Bytes code{1};
    append_varint(code, body.size());
    code.insert(code.end(), body.begin(), body.end());
    append_section(module, 10, code);
    return module;
}

} // namespace ic::executor::wasm
