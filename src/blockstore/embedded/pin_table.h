#pragma once
/// PinTable: the pins of a store, in its tables. For this folder's sources.

#include "blockstore/embedded/committer.h"
#include "blockstore/embedded/environment.h"
#include "blockstore/pins.h"

#include <optional>
#include <string>
#include <vector>

namespace ic::embedded {

class PinTable final : public Pins {
public:
    PinTable(Environment& environment, Committer& committer)
        : environment_(environment)
        , committer_(committer) {}

    Result<void> add(const Pin& pin) override;
    Result<void> remove(const Cid& cid) override;
    Result<void> replace(const Cid& from, const Pin& to) override;
    Result<std::optional<Pin>> find(const Cid& cid) override;
    /// Errors: malformed, after all sound pins were shown, if rows are damaged.
    Result<void> visit(const Visitor& visitor) override;

    /// The keys of damaged rows.
    Result<std::vector<std::string>> damaged();
    /// Removes a row whatever it says.
    Result<void> drop(const std::string& key);

private:
    struct Page {
        std::vector<Pin> pins;
        std::vector<std::string> damaged;
        std::optional<std::string> last; ///< The last key of the page; nothing at the end.
    };
    /// Those behind `after`; the first ones for nothing.
    Result<Page> page_after(const std::optional<std::string>& after);

    Environment& environment_;
    Committer& committer_;
};

} // namespace ic::embedded
