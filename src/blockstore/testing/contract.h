#pragma once
/// What every BlockStore must do, as tests that each backend runs.

#include "blockstore/blockstore.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace ic::testing_blockstore {

/// Owns one empty store and whatever it stands on.
class Fixture {
public:
    virtual ~Fixture() = default;
    virtual BlockStore& store() = 0;
};

using MakeFixture = std::unique_ptr<Fixture> (*)();

/// The suite's parameter. In the contract's own source, so that the linker brings the tests along.
std::vector<MakeFixture> contract_on(MakeFixture make);

/// INSTANTIATE_TEST_SUITE_P(Name, BlockStoreContract, testing::ValuesIn(contract_on(&make)));
class BlockStoreContract : public testing::TestWithParam<MakeFixture> {
protected:
    BlockStore& store() { return fixture_->store(); }

private:
    std::unique_ptr<Fixture> fixture_ = GetParam()();
};

} // namespace ic::testing_blockstore
