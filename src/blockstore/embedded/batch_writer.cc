#include "blockstore/embedded/batch_writer.h"

#include <algorithm>
#include <cstring>

namespace ic::embedded {

int BatchWriter::write(const Batch& batch,
                       std::optional<Stamp> safe_from,
                       std::vector<std::string>& gone) {
    if (batch.empty()) {
        return 0;
    }
    safe_from_ = safe_from;
    int code = next_stamp(transaction_, tables_, stamp_);
    // A session counts on what it commits being stamped after its beginning, also when the clock
    // was set back since.
    stamp_ = std::max(stamp_, safe_from.value_or(0));
    code = code != 0 ? code : write_number(transaction_, tables_.meta, meta_clock, stamp_);
    for (const auto& [key, block] : batch.blocks) {
        if (code != 0) {
            return code;
        }
        code = write_block(key, block, gone);
    }
    for (const Appended& record : batch.wasted) {
        code = code != 0 ? code : accounts_.waste_record(record.place);
    }
    return code != 0 ? code : accounts_.write();
}

int BatchWriter::write_block(const std::string& key,
                             const Waiting& block,
                             std::vector<std::string>& gone) {
    std::optional<Entry> old;
    const int code = read_entry(transaction_, tables_.index, key, old);
    if (code != 0 && code != code_damaged) {
        return code;
    }
    switch (block.kind) {
    case Waiting::Kind::protect:
        if (!old) {
            gone.push_back(key);
            return 0;
        }
        return stamp_anew(key, *old);
    case Waiting::Kind::again:
        if (old) {
            return stamp_anew(key, *old);
        }
        break;
    case Waiting::Kind::fresh:
    case Waiting::Kind::mended:
        break;
    }
    return write_fresh(key, block, old ? &*old : nullptr);
}

/// `old` is what is there: nothing most often; the same, if another process put it meanwhile; or
/// something damaged.
int BatchWriter::write_fresh(const std::string& key, const Waiting& block, const Entry* old) {
    const bool is_same_row = old != nullptr && old->bytes() != nullptr && !block.appended &&
                             !block.file && std::ranges::equal(*old->bytes(), block.data.view());
    const bool has_copy = block.file && block.kind != Waiting::Kind::mended && old != nullptr &&
                          old->file() == nullptr;
    if (is_same_row || has_copy) {
        return stamp_anew(key, *old);
    }
    int code = 0;
    if (old != nullptr) {
        accounts_.remove_block(old->size());
        if (const Place* place = old->place()) {
            code = accounts_.remove_record(*place);
        }
    }
    if (code != 0) {
        return code;
    }
    if (block.appended) {
        accounts_.add_block(block.appended->place.size);
        accounts_.add_record(block.appended->place);
        return put_place(key, block.appended->place);
    }
    if (block.file) {
        accounts_.add_block(block.file->size);
        return put_file_place(key, *block.file);
    }
    accounts_.add_block(block.data.size());
    return put_inline(key, block.data.view());
}

int BatchWriter::put_inline(const std::string& key, ByteView data) {
    const auto head = encode_inline_head(bytes_of(key), stamp_);
    MDB_val name = value_of(key), value{head.size() + data.size(), nullptr};
    const int code = mdb_put(transaction_, tables_.index, &name, &value, MDB_RESERVE);
    if (code == 0) {
        auto* into = static_cast<std::uint8_t*>(value.mv_data);
        std::copy_n(data.data(), data.size(), std::ranges::copy(head, into).out);
    }
    return code;
}

int BatchWriter::put_place(const std::string& key, const Place& place) {
    return put_value(
        transaction_, tables_.index, key, ic::text_of(encode_place(bytes_of(key), stamp_, place)));
}

int BatchWriter::put_file_place(const std::string& key, const FilePlace& place) {
    return put_value(transaction_,
                     tables_.index,
                     key,
                     ic::text_of(encode_file_place(bytes_of(key), stamp_, place)));
}

int BatchWriter::stamp_anew(const std::string& key, const Entry& old) {
    if (safe_from_ && old.stamp >= *safe_from_) {
        return 0;
    }
    if (const Place* place = old.place()) {
        return put_place(key, *place);
    }
    if (const FilePlace* file = old.file()) {
        return put_file_place(key, *file);
    }
    const Bytes copy = copy_of(*old.bytes()); // The put may move what it views.
    return put_inline(key, copy);
}

int BatchWriter::find_pin(const Cid& cid, std::optional<Pin>& pin) {
    MDB_val key = value_of(ic::text_of(cid.bytes())), value{};
    const int code = mdb_get(transaction_, tables_.pins, &key, &value);
    pin = code == 0 ? decode_pin(cid.bytes(), bytes_of(text_of(value))) : std::nullopt;
    return code == MDB_NOTFOUND ? 0 : code;
}

int BatchWriter::change_pins(PinChange& change) {
    change.refusal.reset();
    std::optional<Pin> old;
    if (change.removed) {
        MDB_val key = value_of(ic::text_of(change.removed->bytes())), value{};
        const int code = mdb_get(transaction_, tables_.pins, &key, &value);
        if (code == MDB_NOTFOUND) { // A damaged row can be removed.
            change.refusal = Error{Errc::not_found, "not pinned or pinned indirectly"};
            return 0;
        }
        if (code != 0) {
            return code;
        }
    }
    if (change.added) {
        if (const int code = find_pin(change.added->cid, old); code != 0) {
            return code;
        }
        if (old && old->kind == PinKind::recursive && change.added->kind == PinKind::direct) {
            change.refusal =
                Error{Errc::refused, change.added->cid.to_string() + " already pinned recursively"};
            return 0;
        }
    }
    int code = 0;
    if (change.removed) {
        code = erase_row(transaction_, tables_.pins, ic::text_of(change.removed->bytes()));
    }
    if (code == 0 && change.added) {
        code = put_value(transaction_,
                         tables_.pins,
                         ic::text_of(change.added->cid.bytes()),
                         ic::text_of(encode_pin(*change.added)));
    }
    return code;
}

} // namespace ic::embedded
