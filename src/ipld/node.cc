#include "ipld/node.h"

namespace ic::ipld {

const Node* Node::find(std::string_view key) const {
    if (const Map* map = as<Map>()) {
        for (const auto& [name, value] : *map) {
            if (name == key) {
                return &value;
            }
        }
    }
    return nullptr;
}

} // namespace ic::ipld
