// `qaq replay --streaming` on the bundled capture: 64 tokens, 30 layers, 9 query heads on 3 KV
// heads.
#include <filesystem>
#include <gtest/gtest.h>

#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

using nlohmann::json;

const std::string kSample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

std::vector<std::string> streaming(std::vector<std::string> more) {
  std::vector<std::string> words{"replay", kSample, "--streaming", "--prefill", "40"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::int64_t sum_of(const json& numbers) {
  std::int64_t sum = 0;
  for (const json& number : numbers) sum += number.get<std::int64_t>();
  return sum;
}

TEST(Streaming, NamesItsModeAndEveryFigureOfEveryStep) {
  const json document = run_json(streaming({"--set", "value.target_quantization_error=0.1"}));
  EXPECT_EQ(document["mode"], "streaming");
  EXPECT_EQ(document["prefill"], 40);
  EXPECT_EQ(document["parameters"]["loop"], "open");
  EXPECT_EQ(document["parameters"]["importance"], "window_max");
  EXPECT_EQ(document["parameters"]["value.target_quantization_error"], 0.1);
  const json &metrics = document["metrics"], &steps = document["steps"];
  EXPECT_EQ(metrics["steps"], 24);
  EXPECT_EQ(steps["token"].front(), 40);
  EXPECT_EQ(steps["token"].back(), 63);
  for (const char* side : {"key", "value"}) {
    for (const char* figure : {"promotions", "demotions", "fetched_units", "requantized_values"}) {
      EXPECT_EQ(steps[side][figure].size(), 24u) << figure;
      EXPECT_EQ(sum_of(steps[side][figure]), metrics[side][figure]) << figure;
    }
  }
  EXPECT_GT(metrics["value"]["promotions"], 0);
  for (const char* figure : {"attention_error", "output_error", "modelled_stall_seconds"}) {
    EXPECT_EQ(steps[figure].size(), 24u) << figure;
  }
  const std::int64_t token = 2 * 30 * 3 * 64 * 2;  // caches, layers, KV heads, channels, bytes
  EXPECT_EQ(metrics["d2h_bytes"], 24 * token);
  EXPECT_EQ(metrics["host_bytes"], 64 * token);
  EXPECT_EQ(metrics["full_bytes"], 64 * token);
  EXPECT_EQ(sum_of(steps["h2d_bytes"]), metrics["h2d_bytes"]);
  EXPECT_EQ(metrics["h2d_bytes"],
            (metrics["key"]["promotions"].get<int>() + metrics["value"]["promotions"].get<int>()) *
                64 * 2);
  EXPECT_EQ(steps["resident_bytes"].back(), metrics["final_resident_bytes"]);

  // The bits of the last step are those of a batch replay of all tokens.
  const json batch = run_json({"replay", kSample, "--set", "value.target_quantization_error=0.1"});
  EXPECT_EQ(batch["mode"], "batch");
  for (const std::string side : {"key", "value"}) {
    // The batch's mean is rounded to float32, as the authors' is.
    EXPECT_NEAR(metrics[side]["final_mean_bits"].get<double>(),
                batch["metrics"][side + "_mean_bits"].get<double>(), 1e-6);
  }
}

TEST(Streaming, FiguresDependOnTheSettingsAlone) {
  const auto metrics = [](std::vector<std::string> more) {
    return run_json(streaming(std::move(more)))["metrics"];
  };
  const json plain = metrics({"--threads", "1"});
  EXPECT_EQ(metrics({"--threads", "3"}), plain);
  const json layers = metrics({"--set", "fetch_granularity=layer"});
  EXPECT_EQ(layers["h2d_bytes"], plain["h2d_bytes"]);
  EXPECT_LT(layers["h2d_transfers"], plain["h2d_transfers"]);
  EXPECT_LT(layers["modelled_stall_seconds"], plain["modelled_stall_seconds"]);
  EXPECT_LT(metrics({"--set", "promote_hysteresis=2"})["h2d_bytes"], plain["h2d_bytes"]);
  EXPECT_GT(metrics({"--set", "refetch_equal=true"})["h2d_bytes"], plain["h2d_bytes"]);
  EXPECT_LT(metrics({"--set", "overlap=1", "--set", "t_compute=1"})["modelled_stall_seconds"],
            1e-12);
}

TEST(Streaming, ARunThatIsKeptIsListedWithItsModeAndMetrics) {
  const TemporaryFolder folder;
  const std::string capture = folder.file("letter.h5");
  std::filesystem::copy_file(kSample, capture);
  const json document = run_json({"replay", capture, "--streaming", "--prefill", "40", "--save",
                                  "decode", "--preset", "paper"});
  EXPECT_EQ(document["run"], "decode");
  run_json({"replay", capture, "--save", "whole"});
  const json runs = run_json({"info", capture})["runs"];
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0]["name"], "decode");
  EXPECT_EQ(runs[0]["mode"], "streaming");
  EXPECT_EQ(runs[0]["metrics"], document["metrics"]);
  EXPECT_EQ(runs[0]["parameters"], document["parameters"]);
  EXPECT_EQ(runs[1]["mode"], "batch");
  for (const char* ratio : {"ratio_paper", "ratio_nominal", "ratio_packed"}) {
    EXPECT_GT(runs[1]["metrics"][ratio].get<double>(), 1) << ratio;
  }
  const ProgramResult text = run_qaq({"info", capture});
  EXPECT_NE(text.out.find("qaq  streaming"), std::string::npos) << text.out;
  for (const char* mode : {"--streaming", "--quiet"}) {
    const ProgramResult refused = run_qaq({"replay", capture, mode, "--quiet", "--save", "a/b"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_EQ(refused.err,
              "qaq: run name: 'a/b' cannot name a run; use 1 to 100 characters without '/', not "
              "beginning with '.'\n");
  }
}

TEST(Streaming, TextSaysWhatItIs) {
  const ProgramResult text = run_qaq(streaming({"--quiet", "--preset", "bound"}));
  ASSERT_EQ(text.exit_code, 0) << text.err;
  for (const char* part :
       {"streaming, open loop, 24 steps after a prefill of 40", "promotions", "fetch rate",
        "to the host", "on the device", "stall by the link model", "against the whole cache"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << part << "\n" << text.out;
  }
  const ProgramResult batch = run_qaq({"replay", kSample, "--quiet"});
  EXPECT_NE(batch.out.find("batch, prefix 64"), std::string::npos) << batch.out;
}

TEST(Streaming, RefusesWhatDoesNotGoTogether) {
  const auto refusal = [](std::vector<std::string> words) {
    words.emplace_back("--quiet");
    const ProgramResult result = run_qaq(std::move(words));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  EXPECT_EQ(refusal(streaming({"--set", "loop=closed"})),
            "qaq: loop: closed needs a model that answers to the quantized cache, which a capture "
            "alone is not; set loop=open, or run a model: qaq run --policy qaq\n");
  EXPECT_EQ(refusal({"replay", kSample, "--set", "importance=ema"}),
            "qaq: importance: is a parameter of the replay step by step; add --streaming\n");
  EXPECT_EQ(refusal({"replay", kSample, "--streaming", "--prefill", "64"}),
            "qaq: --prefill: 64 leaves nothing to decode of 64 tokens; give 1 to 63\n");
  EXPECT_NE(refusal(streaming({"--prefix", "40"})).find("--prefix"), std::string::npos);
  EXPECT_NE(refusal(streaming({"--check-bound"})).find("--check-bound"), std::string::npos);
  EXPECT_NE(refusal({"replay", kSample, "--prefill", "40"}).find("--streaming"), std::string::npos);
  EXPECT_NE(refusal(streaming({"--set", "beta=1"})).find("beta"), std::string::npos);
  EXPECT_NE(refusal(streaming({"--set", "importanse=ema"})).find("importance"), std::string::npos);
}

}  // namespace
}  // namespace qaq::test
