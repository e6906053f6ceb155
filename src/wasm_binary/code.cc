#include "wasm_binary/code.h"

#include "wasm_binary/types.h"

namespace ic::wasm_binary {
namespace {

/// An address in memory: alignment, perhaps which memory, offset.
Result<void> memory_argument(Reader& reader, Features& features) {
    const std::size_t at = reader.offset();
    if ((TRY(reader.u32()) & 0x40U) != 0) {
        features.note(Feature::multi_memory, at);
        TRY(reader.u32());
    }
    TRY(reader.u64());
    return {};
}

Result<void> memory_index(Reader& reader, Features& features) {
    const std::size_t at = reader.offset();
    if (TRY(reader.u32()) != 0) {
        features.note(Feature::multi_memory, at);
    }
    return {};
}

Result<void> indices(Reader& reader, int count) {
    for (int i = 0; i < count; ++i) {
        TRY(reader.u32());
    }
    return {};
}

Result<void> block_type(Reader& reader, Features& features) {
    if (reader.at_end()) {
        return reader.wrong("the module ends too early");
    }
    const std::uint8_t first = reader.peek();
    if (first == 0x40) {
        TRY(reader.byte());
    } else if (first > 0x40 && first < 0x80) {
        TRY(read_value_type(reader, features));
    } else {
        features.note(Feature::multi_value, reader.offset());
        if (TRY(reader.s33()) < 0) {
            return reader.wrong("a block of an unknown type");
        }
    }
    return {};
}

Result<void> catches(Reader& reader) {
    const std::uint32_t count = TRY(reader.count(limits::catches_max, "handlers of a block"));
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint8_t kind = TRY(reader.byte());
        if (kind > 3) {
            return reader.wrong("an unknown handler of exceptions");
        }
        TRY(indices(reader, kind < 2 ? 2 : 1));
    }
    return {};
}

Result<void> handlers(Reader& reader) {
    const std::uint32_t count = TRY(reader.count(limits::catches_max, "handlers of a block"));
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint8_t kind = TRY(reader.byte());
        if (kind > 1) {
            return reader.wrong("an unknown handler of suspensions");
        }
        TRY(indices(reader, kind == 0 ? 2 : 1));
    }
    return {};
}

Result<void> gc_instruction(Reader& reader, Features& features) {
    features.note(Feature::gc, reader.offset());
    const std::uint32_t code = TRY(reader.u32());
    if (code >= 26 && code <= 30) {
        return {};
    }
    switch (code) {
    case 15:
        return {};
    case 0:
    case 1:
    case 6:
    case 7:
    case 11:
    case 12:
    case 13:
    case 14:
    case 16:
        return indices(reader, 1);
    case 2:
    case 3:
    case 4:
    case 5:
    case 8:
    case 9:
    case 10:
    case 17:
    case 18:
    case 19:
        return indices(reader, 2);
    case 20:
    case 21:
    case 22:
    case 23:
        TRY(reader.s33());
        return {};
    case 24:
    case 25:
        TRY(reader.byte());
        TRY(reader.u32());
        TRY(reader.s33());
        TRY(reader.s33());
        return {};
    default:
        return reader.wrong("an unknown instruction");
    }
}

/// The group of 0xfc: conversions, bulk memory, tables, wide arithmetic.
Result<void> bulk_instruction(Reader& reader, Features& features) {
    const std::size_t at = reader.offset();
    const std::uint32_t code = TRY(reader.u32());
    if (code <= 7) {
        features.note(Feature::saturating_conversions, at);
        return {};
    }
    if (code >= 19 && code <= 22) {
        features.note(Feature::wide_arithmetic, at);
        return {};
    }
    const bool is_table = code >= 15;
    features.note(is_table ? Feature::reference_types : Feature::bulk_memory, at);
    switch (code) {
    case 8: // memory.init
        TRY(reader.u32());
        return memory_index(reader, features);
    case 10: // memory.copy
        TRY(memory_index(reader, features));
        return memory_index(reader, features);
    case 11: // memory.fill
        return memory_index(reader, features);
    case 12: // table.init
    case 14: // table.copy
        return indices(reader, 2);
    case 9:  // data.drop
    case 13: // elem.drop
    case 15: // table.grow
    case 16: // table.size
    case 17: // table.fill
        return indices(reader, 1);
    default:
        return reader.wrong("an unknown instruction");
    }
}

Result<void> simd_instruction(Reader& reader, Features& features) {
    const std::size_t at = reader.offset();
    const std::uint32_t code = TRY(reader.u32());
    features.note(code < 0x100 ? Feature::simd : Feature::relaxed_simd, at);
    if (code <= 11 || code == 92 || code == 93) {
        return memory_argument(reader, features);
    }
    if (code == 12 || code == 13) { // v128.const, i8x16.shuffle
        TRY(reader.take(16));
    } else if (code >= 21 && code <= 34) { // A lane.
        TRY(reader.byte());
    } else if (code >= 84 && code <= 91) {
        TRY(memory_argument(reader, features));
        TRY(reader.byte());
    } else if (code > 0x113) {
        return reader.wrong("an unknown instruction");
    }
    return {};
}

Result<void> atomic_instruction(Reader& reader, Features& features) {
    features.note(Feature::threads, reader.offset());
    const std::uint32_t code = TRY(reader.u32());
    if (code == 3) { // atomic.fence
        TRY(reader.byte());
        return {};
    }
    if (code > 0x4e) {
        return reader.wrong("an unknown instruction");
    }
    return memory_argument(reader, features);
}

Result<void> stack_switching_instruction(std::uint8_t code, Reader& reader, Features& features) {
    features.note(Feature::stack_switching, reader.offset());
    switch (code) {
    case 0xe0: // cont.new
    case 0xe2: // suspend
        return indices(reader, 1);
    case 0xe1: // cont.bind
    case 0xe6: // switch
        return indices(reader, 2);
    case 0xe3: // resume
    case 0xe5: // resume_throw_ref
        TRY(indices(reader, 1));
        return handlers(reader);
    default: // resume_throw
        TRY(indices(reader, 2));
        return handlers(reader);
    }
}

/// Calls, references, tables: those below 0x28 and above 0xc4 that take no block.
Result<void> other_instruction(std::uint8_t code, Reader& reader, Features& features) {
    const std::size_t at = reader.offset();
    switch (code) {
    case 0x0e: { // br_table
        const std::uint32_t count = TRY(reader.count(reader.left(), "targets"));
        for (std::uint32_t i = 0; i <= count; ++i) {
            TRY(reader.u32());
        }
        return {};
    }
    case 0x11: // call_indirect
        TRY(reader.u32());
        if (TRY(reader.u32()) != 0) {
            features.note(Feature::reference_types, at);
        }
        return {};
    case 0x12: // return_call
        features.note(Feature::tail_call, at);
        return indices(reader, 1);
    case 0x13: // return_call_indirect
        features.note(Feature::tail_call, at);
        return indices(reader, 2);
    case 0x14: // call_ref
    case 0x15: // return_call_ref
    case 0xd5: // br_on_null
    case 0xd6: // br_on_non_null
        features.note(Feature::function_references, at);
        return indices(reader, 1);
    case 0xd4: // ref.as_non_null
        features.note(Feature::function_references, at);
        return {};
    case 0x1c: { // select with types
        features.note(Feature::reference_types, at);
        const std::uint32_t count = TRY(reader.count(1, "types of a select"));
        for (std::uint32_t i = 0; i < count; ++i) {
            TRY(read_value_type(reader, features));
        }
        return {};
    }
    case 0x25: // table.get
    case 0x26: // table.set
    case 0xd2: // ref.func
        features.note(Feature::reference_types, at);
        return indices(reader, 1);
    case 0xd0: // ref.null
        features.note(Feature::reference_types, at);
        TRY(reader.s33());
        return {};
    case 0xd1: // ref.is_null
        features.note(Feature::reference_types, at);
        return {};
    case 0xd3: // ref.eq
        features.note(Feature::gc, at);
        return {};
    case 0xfb:
        return gc_instruction(reader, features);
    case 0xfc:
        return bulk_instruction(reader, features);
    case 0xfd:
        return simd_instruction(reader, features);
    case 0xfe:
        return atomic_instruction(reader, features);
    default:
        if (code >= 0xe0 && code <= 0xe6) {
            return stack_switching_instruction(code, reader, features);
        }
        return reader.wrong("an unknown instruction");
    }
}

Result<void> number_constant(std::uint8_t code, Reader& reader) {
    switch (code) {
    case 0x41:
        TRY(reader.s32());
        return {};
    case 0x42:
        TRY(reader.s64());
        return {};
    default:
        TRY(reader.take(code == 0x43 ? 4 : 8));
        return {};
    }
}

/// Exceptions: 0x06 to 0x0a and 0x18, 0x19, 0x1f. Their effect on `depth` as well.
Result<void>
exception_instruction(std::uint8_t code, Reader& reader, Features& features, std::size_t& depth) {
    const bool is_new = code == 0x08 || code == 0x0a || code == 0x1f;
    features.note(is_new ? Feature::exceptions : Feature::legacy_exceptions, reader.offset());
    switch (code) {
    case 0x06: // try
        ++depth;
        return block_type(reader, features);
    case 0x1f: // try_table
        ++depth;
        TRY(block_type(reader, features));
        return catches(reader);
    case 0x18: // delegate ends its block
        --depth;
        return indices(reader, 1);
    case 0x0a: // throw_ref
    case 0x19: // catch_all
        return {};
    default: // catch, throw, rethrow
        return indices(reader, 1);
    }
}

bool is_exception(std::uint8_t code) {
    return (code >= 0x06 && code <= 0x0a) || code == 0x18 || code == 0x19 || code == 0x1f;
}

/// One instruction that neither begins nor ends a block.
Result<void> plain_instruction(std::uint8_t code, Reader& reader, Features& features) {
    if ((code >= 0x45 && code <= 0xbf) || code == 0x00 || code == 0x01 || code == 0x0f ||
        code == 0x1a || code == 0x1b) {
        return {};
    }
    if ((code >= 0x20 && code <= 0x24) || code == 0x0c || code == 0x0d || code == 0x10) {
        return indices(reader, 1); // Locals, globals, branches, call.
    }
    if (code >= 0x28 && code <= 0x3e) {
        return memory_argument(reader, features);
    }
    if (code == 0x3f || code == 0x40) { // memory.size, memory.grow
        return memory_index(reader, features);
    }
    if (code >= 0x41 && code <= 0x44) {
        return number_constant(code, reader);
    }
    if (code >= 0xc0 && code <= 0xc4) {
        features.note(Feature::sign_extension, reader.offset());
        return {};
    }
    return other_instruction(code, reader, features);
}

} // namespace

Result<void> skip_expression(Reader& reader, Features& features, Expression kind) {
    std::size_t depth = 1;
    while (depth > 0) {
        const std::size_t at = reader.offset();
        const std::uint8_t code = TRY(reader.byte());
        if (code == 0x0b) {
            --depth;
        } else if (code >= 0x02 && code <= 0x04) {
            ++depth;
            TRY(block_type(reader, features));
        } else if (is_exception(code)) {
            TRY(exception_instruction(code, reader, features, depth));
        } else if (code != 0x05) { // else
            if (kind == Expression::constant && code >= 0x6a && code <= 0x7e) {
                features.note(Feature::extended_const, at);
            }
            TRY(plain_instruction(code, reader, features));
        }
    }
    return {};
}

Result<void> read_body(Reader body, Features& features) {
    const std::uint32_t groups = TRY(body.count(limits::locals_max, "groups of locals"));
    std::uint64_t locals = 0;
    for (std::uint32_t i = 0; i < groups; ++i) {
        locals += TRY(body.u32());
        if (locals > limits::locals_max) {
            return body.wrong("more than " + std::to_string(limits::locals_max) + " locals");
        }
        TRY(read_value_type(body, features));
    }
    TRY(skip_expression(body, features, Expression::code));
    if (!body.at_end()) {
        return body.wrong("a function goes on behind its end");
    }
    return {};
}

} // namespace ic::wasm_binary
