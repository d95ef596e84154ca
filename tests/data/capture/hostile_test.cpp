// Captures changed in one thing after they were written. To add a fault: add its line to kFaults.
#include <functional>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <thread>

#include "core/base/error.h"
#include "data/capture/capture_file.h"
#include "tests/data/capture/synthetic_run.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

template <class T>
void overwrite(hid_t file, const char* path, hid_t type, std::size_t at, T value) {
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  const hid_t space = H5Dget_space(dataset);
  std::vector<T> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  values.at(at) = value;
  ASSERT_GE(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Sclose(space);
  H5Dclose(dataset);
}

void set_text(hid_t file, const char* object, const char* name, const std::string& text) {
  if (H5Aexists_by_name(file, object, name, H5P_DEFAULT) > 0) {
    H5Adelete_by_name(file, object, name, H5P_DEFAULT);
  }
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, text.size() + 1);
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute =
      H5Acreate_by_name(file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Awrite(attribute, type, text.c_str()), 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

void set_numbers(hid_t file, const char* object, const char* name,
                 const std::vector<float>& numbers) {
  const hsize_t extent = numbers.size();
  const hid_t space = H5Screate_simple(1, &extent, nullptr);
  const hid_t attribute = H5Acreate_by_name(file, object, name, H5T_NATIVE_FLOAT, space,
                                            H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Awrite(attribute, H5T_NATIVE_FLOAT, numbers.data()), 0);
  H5Aclose(attribute);
  H5Sclose(space);
}

void remove(hid_t file, const char* path) { ASSERT_GE(H5Ldelete(file, path, H5P_DEFAULT), 0); }

/// A dataset that nobody writes to; `properties` is closed.
void replace(hid_t file, const char* path, hid_t type, const std::vector<hsize_t>& extents,
             hid_t properties) {
  remove(file, path);
  const hid_t space = H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, path, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  ASSERT_GE(dataset, 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(properties);
}

struct Fault {
  const char* name;
  void (*make)(hid_t file);
  const char* place;
  const char* word;  ///< somewhere in the message
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

const Fault kFaults[] = {
    {"count_is_text", [](hid_t f) { set_text(f, "/entry/model", "n_heads", "4"); },
     "/entry/model@n_heads", "whole number"},
    {"positions_unknown",
     [](hid_t f) { set_text(f, "/entry/model", "position_embedding", "xpos"); },
     "/entry/model@position_embedding", "'xpos'"},
    {"alibi_without_slopes",
     [](hid_t f) { set_text(f, "/entry/model", "position_embedding", "alibi"); },
     "/entry/model@alibi_slopes", "4 finite numbers"},
    {"slopes_of_other_heads",
     [](hid_t f) {
       set_text(f, "/entry/model", "position_embedding", "alibi");
       set_numbers(f, "/entry/model", "alibi_slopes", {0.5f, 0.25f});
     },
     "/entry/model@alibi_slopes", "4 finite numbers"},
    {"slope_infinite",
     [](hid_t f) {
       set_text(f, "/entry/model", "position_embedding", "alibi");
       set_numbers(f, "/entry/model", "alibi_slopes",
                   {0.5f, 0.25f, std::numeric_limits<float>::infinity(), 0.125f});
     },
     "/entry/model@alibi_slopes", "4 finite numbers"},
    {"slopes_without_alibi",
     [](hid_t f) {
       set_numbers(f, "/entry/model", "alibi_slopes", {0.5f, 0.25f, 0.2f, 0.1f});
     },
     "/entry/model@alibi_slopes", "rope"},
    {"slopes_are_text", [](hid_t f) { set_text(f, "/entry/model", "alibi_slopes", "0.5"); },
     "/entry/model@alibi_slopes", "list of numbers"},
    {"profile_unknown", [](hid_t f) { set_text(f, "/entry/attention", "profile", "some"); },
     "/entry/attention@profile", "'some'"},
    {"text_not_utf8", [](hid_t f) { set_text(f, "/entry/prompt", "text", "a\xff"); },
     "/entry/prompt@text", "UTF-8"},
    {"no_token_text", [](hid_t f) { remove(f, "/entry/prompt/token_text"); },
     "/entry/prompt/token_text", "missing"},
    {"no_scores", [](hid_t f) { remove(f, "/entry/attention/scores"); }, "/entry/attention/scores",
     "missing"},
    {"no_layers", [](hid_t f) { remove(f, "/entry/axes/layer"); }, "/entry/axes/layer", "missing"},
    {"group_for_data",
     [](hid_t f) {
       remove(f, "/entry/kv/key");
       H5Gclose(H5Gcreate2(f, "/entry/kv/key", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
     },
     "/entry/kv/key", "dataset"},
    {"layers_descend",
     [](hid_t f) { overwrite<int>(f, "/entry/axes/layer", H5T_NATIVE_INT, 0, 2); },
     "/entry/axes/layer", "ascending"},
    {"layer_beyond_the_model",
     [](hid_t f) { overwrite<int>(f, "/entry/axes/layer", H5T_NATIVE_INT, 1, 3); },
     "/entry/axes/layer", "is 3"},
    {"rows_not_all",
     [](hid_t f) { overwrite<int>(f, "/entry/attention/query_token", H5T_NATIVE_INT, 19, 21); },
     "/entry/attention/query_token", "0 to 19"},
    {"token_beyond_vocabulary",
     [](hid_t f) { overwrite<int>(f, "/entry/prompt/token_ids", H5T_NATIVE_INT, 2, 50); },
     "/entry/prompt/token_ids", "token 2 is 50"},
    {"query_infinite",
     [](hid_t f) {
       // Layer 2 (second captured), head 3, token 7, channel 5 of (2, 4, 20, 8).
       overwrite<float>(f, "/entry/query/values", H5T_NATIVE_FLOAT, ((4 + 3) * 20 + 7) * 8 + 5,
                        -std::numeric_limits<float>::infinity());
     },
     "/entry/query/values", "layer 2, head 3, token 7, channel 5"},
    {"score_above_the_diagonal",
     [](hid_t f) {
       overwrite<float>(f, "/entry/attention/scores", H5T_NATIVE_FLOAT, (1 * 20 + 6) * 20 + 7,
                        0.5f);
     },
     "/entry/attention/scores", "layer 0, head 1, row 6, key token 7"},
    {"statistic_not_a_number",
     [](hid_t f) {
       overwrite<float>(f, "/entry/stats/entropy", H5T_NATIVE_FLOAT, 4,
                        std::numeric_limits<float>::quiet_NaN());
     },
     "/entry/stats/entropy", "number 4"},
    {"tokens_by_the_terabyte",
     [](hid_t f) {
       const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
       const hsize_t chunk = 1024;
       H5Pset_chunk(properties, 1, &chunk);
       replace(f, "/entry/prompt/token_ids", H5T_STD_I32LE, {hsize_t{1} << 40}, properties);
     },
     "/entry/prompt/token_ids", "stored"},
    {"a_terabyte_packed",
     [](hid_t f) {
       const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
       const hsize_t chunk[] = {1, 1, 20, 8};
       H5Pset_chunk(properties, 4, chunk);
       H5Pset_deflate(properties, 1);
       replace(f, "/entry/kv/key", H5T_IEEE_F32LE, {2, 2, hsize_t{1} << 36, 8}, properties);
     },
     "/entry/kv/key", "stored"},
    {"data_elsewhere",
     [](hid_t f) {
       const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
       H5Pset_external(properties, "/dev/zero", 0, H5F_UNLIMITED);
       replace(f, "/entry/kv/key", H5T_IEEE_F32LE, {2, 2, 20, 8}, properties);
     },
     "/entry/kv/key", "external"},
    {"link_in_circles",
     [](hid_t f) {
       remove(f, "/entry/kv/key");
       H5Lcreate_soft("/entry/kv/key", f, "/entry/kv/key", H5P_DEFAULT, H5P_DEFAULT);
     },
     "/entry/kv/key", "soft link"},
    {"link_that_dangles",
     [](hid_t f) {
       remove(f, "/entry/kv/key");
       H5Lcreate_soft("/nowhere", f, "/entry/kv/key", H5P_DEFAULT, H5P_DEFAULT);
     },
     "/entry/kv/key", "missing"},
    {"link_through_a_link_outside",
     [](hid_t f) {
       remove(f, "/entry/kv/key");
       H5Lcreate_external("other.h5", "/", f, "/other", H5P_DEFAULT, H5P_DEFAULT);
       H5Lcreate_soft("/other/key", f, "/entry/kv/key", H5P_DEFAULT, H5P_DEFAULT);
     },
     "/other", "external link"},
};

class Hostile : public testing::Test {
 protected:
  Hostile() {
    const SyntheticRun run = make_run(small_shape(), 20, 20);
    const auto writer = CaptureWriter::create(path_, plan_of(run, {0, 2}));
    put_run(run, *writer);
    writer->finish(run.tokens, "{}");
  }
  void change(const std::function<void(hid_t)>& how) const {
    const hid_t file = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(file, 0);
    how(file);
    ASSERT_GE(H5Fclose(file), 0);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.file("a.h5");
};

class HostileFault : public Hostile, public testing::WithParamInterface<Fault> {};

TEST_P(HostileFault, IsRefusedWithItsPlace) {
  change(GetParam().make);
  try {
    open_capture(path_);
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.text().file, path_);
    EXPECT_EQ(error.text().place, GetParam().place) << error.what();
    EXPECT_NE(error.text().what.find(GetParam().word), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, HostileFault, testing::ValuesIn(kFaults),
                         testing::PrintToStringParamName());

TEST_F(Hostile, ReadersAndWritersCloseAllThatTheyOpen) {
  const auto n_open = [] { return H5Fget_obj_count(hid_t{H5F_OBJ_ALL}, H5F_OBJ_ALL); };
  const auto before = n_open();
  {
    const auto capture = open_capture(path_);
    capture->attention(0, 2, 3);
    EXPECT_EQ(n_open(), before) << "a capture that is shown can be written to";
  }
  change(kFaults[0].make);
  EXPECT_THROW(open_capture(path_), Error);
  const SyntheticRun run = make_run(small_shape(), 20, 20);
  {
    const auto writer = CaptureWriter::create(path_, plan_of(run, {0, 2}));
    put_batch(run, 0, 10, *writer);
    EXPECT_GT(n_open(), before);
  }
  EXPECT_EQ(n_open(), before);
}

TEST_F(Hostile, LinksWithinTheFileAreFollowed) {
  const auto before = open_capture(path_)->key(1);
  change([](hid_t file) {
    H5Lmove(file, "/entry/kv/key", file, "/elsewhere", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("../../elsewhere", file, "/entry/kv/unused", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/elsewhere", file, "/entry/kv/key", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_TRUE(std::ranges::equal(open_capture(path_)->key(1)->span(), before->span()));
}

TEST_F(Hostile, WhatReadersDoNotNeedMayBeAbsent) {
  change([](hid_t file) {
    for (const char* path : {"/entry/stats", "/entry/importance", "/entry/logits", "/runs",
                             "/entry/query/norm2", "/entry/axes/head"}) {
      remove(file, path);
    }
  });
  EXPECT_EQ(open_capture(path_)->info().n_tokens, 20);
  EXPECT_TRUE(list_runs(path_).empty());
}

TEST_F(Hostile, ACaptureThatChangesUnderAReaderIsNoticed) {
  const auto capture = open_capture(path_);
  const SyntheticRun run = make_run(small_shape(), 25, 25);
  const auto writer = CaptureWriter::create(path_, plan_of(run, {0, 2}));
  put_run(run, *writer);
  writer->finish(run.tokens, "{}");
  EXPECT_EQ(capture->key(0)->shape(1), 20);  // kept since it was opened
  EXPECT_THROW(capture->attention(0, 3, 2), Error);
}

TEST_F(Hostile, ManyThreadsReadTheSameNumbers) {
  const auto capture = open_capture(path_);
  std::vector<SharedArray<float, 3>> read(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < read.size(); ++i) {
      threads.emplace_back([&, i] { read[i] = capture->attention(1, 4, 9); });
    }
  }
  for (const auto& scores : read) {
    EXPECT_TRUE(std::ranges::equal(scores->span(), read[0]->span()));
  }
}

}  // namespace
}  // namespace qaq::test
