#pragma once
/// One message of each kind, for tests.

#include "executor/channel/message.h"

#include <vector>

namespace ic::executor::channel::testing {

/// Every alternative once, in their order, each field with a value of its own.
std::vector<Message> one_of_each();

} // namespace ic::executor::channel::testing
