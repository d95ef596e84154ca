// Scaled position embeddings from config.json to logits, held against tests/data/rope (made by
// transformers): the weights of tiny_llama with another rope_scaling.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "tests/support/deviation.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;

void expect_near(std::span<const float> ours, const json& reference, const std::string& what) {
  const auto expected = reference.get<std::vector<double>>();
  test::Deviation d;
  d.add<float, double>(ours, expected);
  std::printf("  %-18s %.1e of max\n", what.c_str(), d.max_relative());
  EXPECT_LE(d.max_relative(), 1e-5) << what;
}

class RopeScaling : public testing::TestWithParam<json> {};

TEST_P(RopeScaling, IsThatOfTransformersFromConfigToLogits) {
  const json& reference = GetParam();
  const test::TemporaryFolder folder;
  json config = test::test_data_json("oracle/tiny_llama/config.json");
  config.update(reference.at("config"));
  std::ofstream(folder.file("config.json")) << config;
  std::filesystem::copy_file(test::test_data_path("oracle/tiny_llama/model.safetensors"),
                             folder.file("model.safetensors"));

  const auto model = open_model(folder.path().string());
  const auto ids = reference.at("token_ids").get<std::vector<std::int32_t>>();
  const auto n = static_cast<std::int64_t>(ids.size());
  const auto engine = make_cpu_backend()->open(model, {n + 1, n});
  test::TapRecorder taps(model->spec().shape, n);
  engine->run(ids, &taps);
  const auto n_last = reference.at("n_last_rows").get<std::size_t>();
  const auto n_logits = n_last * static_cast<std::size_t>(model->spec().shape.vocab_size);
  expect_near(taps.logits.span().last(n_logits), reference.at("logits_last_rows"), "logits");
  expect_near(taps.key.sub(model->spec().shape.n_layers - 1).span(), reference.at("key_last_layer"),
              "key");

  const std::int32_t next = reference.at("step_token");
  engine->run({&next, 1});
  expect_near(engine->logits(), reference.at("step_logits"), "one token more");
}

std::vector<json> forward_cases() {
  return test::test_data_json("rope/rope.json").at("forward").get<std::vector<json>>();
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, RopeScaling, testing::ValuesIn(forward_cases()),
    [](const testing::TestParamInfo<json>& each) {
      return each.param.at("config").at("rope_scaling").at("rope_type").get<std::string>();
    });

}  // namespace
}  // namespace qaq
