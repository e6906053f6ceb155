#include "executor/wasm/handles.h"
#include "executor/wasm/testing/memory_services.h"

#include <gtest/gtest.h>

namespace ic::executor::wasm {
namespace {

TEST(Handles, CountWhatIsHeldForThem) {
    MemoryServices services;
    Handles handles;
    handles.begin({.handles_max = 10, .curls_max = 10});
    const std::int64_t listing = handles.open(TextHandle{.text = std::string(100, 'x')});
    const std::int64_t other = handles.open(TextHandle{.text = std::string(20, 'y')});
    const std::int64_t adding = handles.open(AddHandle{.id = 7});
    handles.open(AddHandle{.id = 8});
    EXPECT_EQ(handles.text_bytes(), 120U);
    EXPECT_EQ(handles.adds(), 2U);
    EXPECT_TRUE(handles.close(listing, services));
    EXPECT_EQ(handles.text_bytes(), 20U);
    EXPECT_EQ(handles.take_add(other), std::nullopt) << "no file";
    EXPECT_EQ(handles.take_add(adding), 7U);
    EXPECT_EQ(handles.take_add(adding), std::nullopt) << "no handle any more";
    EXPECT_EQ(handles.adds(), 1U);
    handles.close_all(services);
    EXPECT_EQ(handles.text_bytes(), 0U);
    EXPECT_EQ(handles.adds(), 0U);
}

} // namespace
} // namespace ic::executor::wasm
