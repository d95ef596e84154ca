// Replays stored in a capture come back as they were, and never harm it.
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/error.h"
#include "core/policy/policies.h"
#include "core/replay/replay.h"
#include "core/replay/streaming.h"
#include "data/capture/capture_file.h"
#include "data/capture/capture_summary.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "data/capture/run_totals.h"
#include "tests/data/capture/synthetic_run.h"
#include "tests/support/every_other.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

template <std::size_t Rank>
void expect_same(const NdArray<std::uint8_t, Rank>& a, const NdArray<std::uint8_t, Rank>& b) {
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_TRUE(std::ranges::equal(a.span(), b.span()));
}

void expect_same(const NdArray<float, 3>& a, const NdArray<float, 3>& b) {
  ASSERT_EQ(a.shape(), b.shape());
  for (std::size_t i = 0; i < a.span().size(); ++i) {
    const float x = a.span()[i], y = b.span()[i];
    ASSERT_TRUE(x == y || (std::isnan(x) && std::isnan(y))) << i << ": " << x << ", " << y;
  }
}

void expect_same(const CacheReplay& a, const CacheReplay& b) {
  expect_same(a.bits, b.bits);
  expect_same(a.outliers, b.outliers);
  expect_same(a.error, b.error);
  EXPECT_EQ(a.quantization_error, b.quantization_error);
  EXPECT_EQ(a.n_outliers, b.n_outliers);
  EXPECT_EQ(a.packed.total(), b.packed.total());
}

void expect_same(const ReplayResult& a, const ReplayResult& b) {
  EXPECT_EQ(a.policy, b.policy);
  EXPECT_EQ(parameters_json(a.parameters), parameters_json(b.parameters));
  expect_same(a.key, b.key);
  expect_same(a.value, b.value);
  expect_same(a.attention_error, b.attention_error);
  expect_same(a.output_error, b.output_error);
  // Every single number, exactly: the metrics are computed from them.
  EXPECT_EQ(metrics_json(a), metrics_json(b));
}

class StoredRuns : public testing::Test {
 protected:
  void write(AttentionProfile profile, bool with_queries = true, std::int64_t window = 0) {
    const SyntheticRun run = make_run(small_shape(), 13, 20);
    CapturePlan plan = plan_of(run, {0, 1, 2});
    plan.info.profile = profile;
    plan.info.has_queries = with_queries;
    plan.attention_window = window;
    const auto writer = CaptureWriter::create(path_, plan);
    put_run(run, *writer);
    writer->finish(run.tokens, "{}");
  }

  SharedReplay replayed(int n_bits_max, std::int64_t prefix = 0) const {
    ReplayOptions options;
    options.params.key.n_bits_max = options.params.value.n_bits_max = n_bits_max;
    options.params.key.use_attentions = options.params.value.use_attentions =
        open_capture(path_)->info().profile != AttentionProfile::none;
    options.params.key.n_bits_uniform = options.params.value.n_bits_uniform = n_bits_max;
    options.prefix = prefix;
    return replay(*open_capture(path_), options);
  }

  // Removes an attribute of the run "old".
  void remove_attribute(const char* name) {
    h5::thread().run([&] {
      h5::File file(path_, h5::Access::modify);
      ASSERT_GE(H5Adelete_by_name(file.id(), "/runs/old", name, H5P_DEFAULT), 0);
      file.close();
    });
  }

  // Changes an attribute of the run "old".
  void edit_json(const char* name, const std::function<void(nlohmann::ordered_json&)>& edit) {
    h5::thread().run([&] {
      h5::File file(path_, h5::Access::modify);
      const h5::Attributes run(file, "/runs/old");
      auto json = nlohmann::ordered_json::parse(*run.text(name));
      edit(json);
      ASSERT_GE(H5Adelete_by_name(file.id(), "/runs/old", name, H5P_DEFAULT), 0);
      run.set(name, json.dump());
      file.close();
    });
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("c.h5");
};

TEST_F(StoredRuns, ComeBackOfEveryPolicy) {
  write(AttentionProfile::full);
  const auto capture = open_capture(path_);
  for (const char* name : {"full", "uniform", "knorm"}) {
    const SharedReplay result =
        replay(*capture, {.params = {}, .prefix = 15, .policy = make_policy(name, {})});
    save_run(path_, name, *result, "{}");
    expect_same(*load_run(path_, name), *result);
    EXPECT_FALSE(load_run(path_, name)->value.evicts());
  }
}

TEST_F(StoredRuns, KeepWhatIsEvicted) {
  write(AttentionProfile::full);
  const auto capture = open_capture(path_);
  const SharedReplay result =
      replay(*capture, {.params = {}, .prefix = 15, .policy = every_other(3)});
  ReplayResult back;
  set_totals(back, totals_json(*result));
  EXPECT_TRUE(back.key.evicts());
  EXPECT_EQ(back.key.n_kept, result->key.n_kept);
  EXPECT_EQ(back.key.packed, result->key.packed);
  EXPECT_FALSE(totals_json(*replayed(3))["key"].contains("n_kept")) << "QAQ's are as they were";

  save_run(path_, "old", *result, "{}");
  EXPECT_NE(refusal([&] { load_run(path_, "old"); }).find("there is no policy 'every_other'"),
            std::string::npos);
}

TEST_F(StoredRuns, ComeBackAsTheyWereStored) {
  for (const auto profile :
       {AttentionProfile::full, AttentionProfile::derive, AttentionProfile::none}) {
    write(profile);
    for (const std::int64_t prefix : {0, 15}) {
      const SharedReplay result = replayed(3, prefix);
      save_run(path_, "three bits \xc3\xa9", *result, R"({"commit": "x"})");
      EXPECT_EQ(list_runs(path_), (std::vector<std::string>{"three bits \xc3\xa9"}));
      expect_same(*load_run(path_, "three bits \xc3\xa9"), *result);
    }
  }
}

TEST_F(StoredRuns, KeepWhatIsLeftToTheProgram) {
  write(AttentionProfile::full);
  ReplayOptions options;
  options.params.key.variant = options.params.value.variant = Variant::bound;
  options.params.key.bits_rule = BitsRule::measured;
  options.params.key.range_rule = RangeChoice::mean_centred;
  options.params.key.target_quantization_error = 1e-4;
  options.params.key.q_norm = RealOrAuto::automatic();
  const SharedReplay result = replay(*open_capture(path_), options);
  EXPECT_GT(result->key.n_bound_unmet, 0);
  save_run(path_, "a", *result, "{}");
  const SharedReplay stored = load_run(path_, "a");
  expect_same(*stored, *result);
  EXPECT_EQ(parameters_json(stored->parameters)["key.q_norm"], "auto");
  EXPECT_EQ(stored->key.n_bound_unmet, result->key.n_bound_unmet);
}

// What version 0.1 wrote knows neither variants nor units that no bits are enough for, and one
// mode.
TEST_F(StoredRuns, OfOlderProgramsAreTheReferenceVariant) {
  write(AttentionProfile::full);
  const SharedReplay result = replayed(3);
  save_run(path_, "old", *result, "{}");
  edit_json("parameters_json", [](nlohmann::ordered_json& parameters) {
    nlohmann::ordered_json known;
    for (const auto& [name, value] : parameters.items()) {
      for (const std::string_view there :
           {"level", "symmetric", "method", "outliers_ratio", "use_attentions", "n_bits_uniform",
            "last_n_attentions", "target_quantization_error", "n_bits_min", "n_bits_max", "q_norm",
            "gqa_reduce", "dtype_bits"}) {
        if (name.substr(name.find('.') + 1) == there) known[name] = value;
      }
    }
    parameters = known;
    EXPECT_EQ(parameters.size(), 11 + 10 + 2u);
  });
  edit_json("totals_json", [](nlohmann::ordered_json& totals) {
    EXPECT_EQ(totals["key"].erase("n_bound_unmet"), 1u);
    EXPECT_EQ(totals["value"].erase("n_bound_unmet"), 1u);
  });
  remove_attribute("mode");
  EXPECT_EQ(capture_summary(path_).at("runs").at(0).at("mode"), "batch");
  expect_same(*load_run(path_, "old"), *result);
}

TEST_F(StoredRuns, OfStreamsHaveTheirStepsAndSayTheirMode) {
  write(AttentionProfile::window, true, 10);
  StreamingOptions options;
  options.prefill = 16;
  options.params.key.last_n_attentions = options.params.value.last_n_attentions = 2;
  const SharedStreaming result = stream(*open_capture(path_), options);
  save_run(path_, "a", *replayed(3), "{}");
  save_run(path_, "a", *result, R"({"commit": "x"})");
  const auto run = capture_summary(path_).at("runs").at(0);
  EXPECT_EQ(run.at("mode"), "streaming");
  EXPECT_EQ(run.at("metrics"), streaming_totals_json(*result));
  EXPECT_EQ(run.at("parameters").at("importance"), "window_max");

  const auto n_rows = static_cast<std::size_t>(open_capture(path_)->info().n_query_rows());
  ASSERT_GT(n_rows, 4u);
  h5::thread().run([&] {
    const h5::File file(path_, h5::Access::read);
    const auto steps = [&](const std::string& name) {
      return h5::read_array<float>(file, "/runs/a/step_" + name);
    };
    const auto n_promotions = h5::read_array<std::int64_t>(file, "/runs/a/step_value_promotions");
    const auto tokens = h5::read_array<std::int64_t>(file, "/runs/a/step_token");
    ASSERT_EQ(tokens, (std::vector<std::int64_t>{16, 17, 18, 19}));
    const auto stalls = steps("modelled_stall_seconds"), bits = steps("key_mean_bits");
    for (std::size_t i = 0; i < 4; ++i) {
      const StreamingStep& step = result->steps[i];
      EXPECT_EQ(n_promotions[i], step.value.promotions);
      EXPECT_EQ(stalls[i], static_cast<float>(step.stall_seconds));
      EXPECT_EQ(bits[i], static_cast<float>(step.key_mean_bits));
    }
    // Every figure of a step has its dataset, its name and its unit.
    std::size_t n_steps = 0;
    for (const std::string& name : file.members("/runs/a")) {
      if (!name.starts_with("step_")) continue;
      ++n_steps;
      EXPECT_TRUE(h5::Attributes(file, "/runs/a/" + name).text("units")) << name;
    }
    const auto figures = streaming_steps_json(*result);
    EXPECT_EQ(n_steps, figures.size() - 2 + figures.at("key").size() + figures.at("value").size());
    // Rows before decode were not replayed.
    const auto errors = h5::read_array<float>(file, "/runs/a/attention_error");
    ASSERT_EQ(errors.size() % n_rows, 0u);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      const std::size_t row = i % n_rows, n_before = n_rows - 4;
      EXPECT_EQ(std::isnan(errors[i]), row < n_before);
      if (row < n_before) continue;
      EXPECT_EQ(errors[i], result->attention_error.span()[i / n_rows * 4 + row - n_before]);
    }
    EXPECT_EQ(
        h5::read_array<float>(file, "/runs/a/value_error"),
        std::vector<float>(result->value.error.span().begin(), result->value.error.span().end()));
  });
  try {
    load_run(path_, "a");
    FAIL() << "a stream is no batch replay";
  } catch (const Error& error) {
    EXPECT_EQ(error.text().place, "/runs/a@mode");
    EXPECT_EQ(error.text().what, "is 'streaming', where a batch replay is asked for");
  }
  const SharedReplay batch = replayed(3);
  save_run(path_, "a", *batch, "{}");
  expect_same(*load_run(path_, "a"), *batch);
}

TEST_F(StoredRuns, AreReplacedByName) {
  write(AttentionProfile::full);
  const SharedReplay three = replayed(3), six = replayed(6);
  save_run(path_, "b", *three, "{}");
  save_run(path_, "a", *three, "{}");
  save_run(path_, "b", *six, "{}");
  EXPECT_EQ(list_runs(path_), (std::vector<std::string>{"a", "b"}));
  expect_same(*load_run(path_, "a"), *three);
  expect_same(*load_run(path_, "b"), *six);
}

TEST_F(StoredRuns, CanBeStoredWhileTheCaptureIsOpen) {
  write(AttentionProfile::full);
  const auto capture = open_capture(path_);
  const auto before = capture->key(0);
  save_run(path_, "a", *replayed(3), "{}");
  EXPECT_TRUE(std::ranges::equal(before->span(), capture->key(0)->span()));
  EXPECT_TRUE(std::ranges::equal(before->span(), open_capture(path_)->key(0)->span()));
}

TEST_F(StoredRuns, NeedAPlainName) {
  write(AttentionProfile::full);
  const SharedReplay result = replayed(3);
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string(".hidden"), std::string("a\nb"),
        std::string(101, 'a'), std::string("\xff")}) {
    try {
      save_run(path_, name, *result, "{}");
      FAIL() << "took the name '" << name << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
    }
  }
  EXPECT_TRUE(list_runs(path_).empty());
}

TEST_F(StoredRuns, BelongToTheCaptureThatWasReplayed) {
  write(AttentionProfile::full);
  const SharedReplay result = replayed(3);
  const SyntheticRun longer = make_run(small_shape(), 21, 21);
  const auto writer = CaptureWriter::create(path_, plan_of(longer, {0, 1, 2}));
  put_run(longer, *writer);
  writer->finish(longer.tokens, "{}");
  EXPECT_THROW(save_run(path_, "a", *result, "{}"), Error);
  EXPECT_TRUE(list_runs(path_).empty());
}

TEST_F(StoredRuns, ThatAreNotThereAreRefusedByName) {
  write(AttentionProfile::full);
  try {
    load_run(path_, "nobody");
    FAIL() << "was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.text().place, "/runs/nobody");
  }
}

TEST_F(StoredRuns, AndAllElseAreInTheSummary) {
  write(AttentionProfile::full);
  const SharedReplay result = replayed(3);
  save_run(path_, "a", *result, R"({"commit": "x"})");
  const nlohmann::ordered_json summary = capture_summary(path_);
  EXPECT_EQ(summary.at("format"), "qaq-capture");
  EXPECT_EQ(summary.at("bytes"), std::filesystem::file_size(path_));
  EXPECT_EQ(summary.at("model").at("n_kv_heads"), 2);
  EXPECT_EQ(summary.at("n_tokens"), 20);
  EXPECT_EQ(summary.at("attention"), "full");
  const auto& datasets = summary.at("datasets");
  const auto key = std::ranges::find_if(
      datasets, [](const auto& dataset) { return dataset.at("path") == "/entry/kv/key"; });
  ASSERT_NE(key, datasets.end());
  EXPECT_EQ(key->at("shape"), nlohmann::json({3, 2, 20, 8}));
  EXPECT_EQ(key->at("dtype"), "f32");
  EXPECT_EQ(key->at("layout"), "contiguous");
  EXPECT_EQ(key->at("bytes"), 3 * 2 * 20 * 8 * 4);
  ASSERT_EQ(summary.at("runs").size(), 1u);
  EXPECT_EQ(summary.at("runs")[0].at("name"), "a");
  EXPECT_EQ(summary.at("runs")[0].at("mode"), "batch");
  const auto& metrics = summary.at("runs")[0].at("metrics");
  EXPECT_EQ(metrics, metrics_json(*result));
  // Nominal and packed sizes side by side: the paper counts no scales, and packed bytes count all.
  EXPECT_GT(metrics.at("ratio_paper"), metrics.at("ratio_nominal"));
  EXPECT_GT(metrics.at("ratio_nominal"), metrics.at("ratio_packed"));
  EXPECT_EQ(metrics.at("ratio_packed"), result->ratio_packed);
  EXPECT_EQ(summary.at("runs")[0].at("provenance").at("commit"), "x");
}

}  // namespace
}  // namespace qaq::test
