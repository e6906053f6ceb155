/// docs/formats/errors.md is a copy of the table in base/error.cc, and this is what keeps it one.

#include "base/result.h"
#include "job/testing/vectors.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace ic::job {
namespace {

std::vector<std::string> cells_of(const std::string& row) {
    std::vector<std::string> cells;
    std::istringstream text(row.substr(1)); // After the first bar.
    for (std::string cell; std::getline(text, cell, '|');) {
        const std::size_t first = cell.find_first_not_of(' ');
        cells.push_back(first == std::string::npos
                            ? ""
                            : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
    }
    return cells;
}

TEST(ErrorsPage, HasTheRowsOfTheCodeInOrder) {
    std::istringstream page(testing::read_text("docs/formats/errors.md"));
    std::uint64_t number = 0;
    for (std::string line; std::getline(page, line);) {
        if (!line.starts_with("| ") || line.find_first_of("0123456789") != 2) {
            continue;
        }
        const std::optional<Errc> code = errc_of(++number);
        ASSERT_TRUE(code) << "one row too many: " << line;
        const std::vector<std::string> expected{std::to_string(number),
                                                "`" + std::string(name(*code)) + "`",
                                                std::to_string(exit_status(*code)),
                                                std::to_string(http_status(*code)),
                                                may_retry(*code) ? "yes" : "no"};
        std::vector<std::string> cells = cells_of(line);
        ASSERT_EQ(cells.size(), 6U) << line;
        EXPECT_NE(cells.back(), "") << "say what it means: " << line;
        cells.pop_back();
        EXPECT_EQ(cells, expected) << line;
    }
    EXPECT_FALSE(errc_of(number + 1)) << "docs/formats/errors.md ends at " << number;
}

} // namespace
} // namespace ic::job
