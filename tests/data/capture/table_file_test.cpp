// A table as an HDF5 file, read back with the library's own readers.
#include "data/capture/table_file.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "tests/support/small_table.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

TEST(TableFile, HoldsADatasetAColumn) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("table.h5");
  write_table_file(path, test::small_table(), {{"what", "test"}});
  EXPECT_EQ(folder.names(), std::vector<std::string>{"table.h5"});
  h5::thread().run([&] {
    const h5::File file(path, h5::Access::read);
    const h5::Attributes root(file, "/");
    EXPECT_EQ(root.text("format"), "qaq-table");
    EXPECT_EQ(nlohmann::json::parse(*root.text("head_json"))["what"], "test");
    EXPECT_EQ(h5::read_array<std::int32_t>(file, "/side"), (std::vector<std::int32_t>{1, 0}));
    EXPECT_EQ(h5::read_array<std::int32_t>(file, "/n"),
              (std::vector<std::int32_t>{-3, std::numeric_limits<std::int32_t>::min()}));
    const auto x = h5::read_array<float>(file, "/x");
    EXPECT_EQ(x.at(0), 0.1f);
    EXPECT_TRUE(std::isnan(x.at(1)));
    EXPECT_EQ(h5::read_texts(file, "/t"), (std::vector<std::string>{"4 5", ""}));
    EXPECT_EQ(h5::Attributes(file, "/n").text("units"), "bit");
    EXPECT_FALSE(h5::Attributes(file, "/side").text("units"));
  });
}

TEST(TableFile, WithoutRowsIsAFileToo) {
  const test::TemporaryFolder folder;
  Table table = test::small_table();
  table.n_rows = 0;
  table.for_each_row = [](const RowSink&) {};
  write_table_file(folder.file("empty.h5"), table, nlohmann::ordered_json::object());
  h5::thread().run([&] {
    const h5::File file(folder.file("empty.h5"), h5::Access::read);
    EXPECT_TRUE(h5::read_array<float>(file, "/x").empty());
  });
}

TEST(TableFile, LeavesNothingWhereItCannotBeWritten) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(write_table_file(folder.file("none/t.h5"), test::small_table(), {}), Error);
  EXPECT_TRUE(folder.empty());
}

}  // namespace
}  // namespace qaq
