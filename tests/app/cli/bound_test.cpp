// `qaq replay --check-bound` and `qaq explain` on the bundled capture: 64 tokens, 30 layers, 9
// query heads on 3 KV heads.
#include <gtest/gtest.h>

#include "tests/support/qaq_program.h"

namespace qaq::test {
namespace {

using nlohmann::json;

const std::string kSample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

std::vector<std::string> replay_of(std::vector<std::string> more) {
  std::vector<std::string> words{"replay", kSample, "--prefix", "40"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

json promise_of(const json& document, const std::string& name) {
  for (const json& promise : document.at("bound_check").at("promises")) {
    if (promise.at("of") == name) return promise;
  }
  throw std::logic_error("no promise of " + name);
}

TEST(CheckBound, TheBoundIsKeptWhereItsConditionsHold) {
  const json document = run_json(replay_of(
      {"--preset", "bound", "--set", "horizon_tokens=24", "--check-bound", "--see-future"}));
  for (const char* name : {"scores", "value_outputs"}) {
    const json promise = promise_of(document, name);
    EXPECT_EQ(promise["e"], 0.01);
    EXPECT_EQ(promise["heads"].size(), 270u);
    EXPECT_EQ(promise["all"]["rows"], 270 * 24);
    EXPECT_EQ(promise["all"]["rows_over_e"], 0);
    EXPECT_GT(promise["all"]["row_rms_over_e"], 0.02);
    EXPECT_EQ(promise["all"]["broken"]["persistence"]["rows"], 0);
    EXPECT_EQ(promise["all"]["broken"]["horizon"]["rows"], 0);
    EXPECT_TRUE(promise["all"]["monte_carlo"].is_null());
  }
  // Without it, what fails is what got a score that the window had not seen.
  const json scores = promise_of(
      run_json(replay_of({"--preset", "bound", "--set", "horizon_tokens=24", "--check-bound"})),
      "scores");
  EXPECT_GT(scores["all"]["rows_over_e"], 0);
  EXPECT_EQ(scores["all"]["broken"]["persistence"]["rows_over_e"], scores["all"]["rows_over_e"]);
  EXPECT_EQ(scores["all"]["rows_over_e_none_broken"], 0);
}

TEST(CheckBound, DrawsDependOnTheSeedAlone) {
  const auto drawn = [](const char* seed, const char* threads) {
    return run_json(replay_of({"--preset", "bound", "--check-bound", "--mc", "2", "--seed", seed,
                               "--threads", threads}))["bound_check"];
  };
  const json one = drawn("1", "1");
  EXPECT_EQ(one["draws"], 2);
  EXPECT_EQ(one["promises"][0]["all"]["monte_carlo"]["rows"], 270 * 24);
  EXPECT_EQ(drawn("1", "3"), one);
  EXPECT_NE(drawn("2", "1")["promises"], one["promises"]);
}

TEST(CheckBound, TextNamesEveryPromiseAndCondition) {
  const ProgramResult text =
      run_qaq(replay_of({"--preset", "bound", "--check-bound", "--mc", "1", "--quiet"}));
  ASSERT_EQ(text.exit_code, 0) << text.err;
  for (const char* part :
       {"scores: ||S' - S||", "promised 0.01", "outputs, values alone", "outputs, both caches",
        "nothing is promised", "Monte-Carlo", "all 270 heads, 6480 rows", "worst: layer ",
        "(i) query", "(ii) score", "(iii) n_bits_max", "(iv) logit", "(v) units", "(vi) more"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << part;
  }
}

TEST(CheckBound, RefusesWhatItCannotCheck) {
  const auto refusal = [](std::vector<std::string> words) {
    const ProgramResult result = run_qaq(std::move(words));
    EXPECT_EQ(result.exit_code, 2);
    return result.err;
  };
  EXPECT_EQ(refusal(replay_of({"--check-bound", "--quiet", "--set", "use_attentions=false"})),
            "qaq: --check-bound: neither cache promises anything: its bits are fixed, or it is "
            "exact; set use_attentions=true and a level other than no-quantization\n");
  EXPECT_NE(refusal(replay_of({"--mc", "3"})).find("--check-bound"), std::string::npos);
  EXPECT_EQ(refusal(replay_of({"--set", "bits_rule=measured"})),
            "qaq: key.bits_rule: measured needs a variance to keep, which variant reference has "
            "not; set key.variant=bound or key.bits_rule=formula\n");
  EXPECT_EQ(refusal(replay_of({"--set", "key.q_norm=automatic"})),
            "qaq: key.q_norm: 'automatic' is no number; give a number from 1e-09 to 1e+09, or "
            "auto\n");
}

TEST(Variants, DefaultsAreTheReference) {
  const json plain = run_json(replay_of({}));
  EXPECT_EQ(plain["parameters"]["key.variant"], "reference");
  EXPECT_EQ(plain["parameters"]["key.range_rule"], "auto");
  EXPECT_EQ(plain["parameters"]["key.q_norm"], 300.0);
  EXPECT_EQ(plain["parameters"].count("value.q_norm"), 0u);
  EXPECT_EQ(run_json(replay_of({"--set", "variant=reference", "--set", "range_rule=mean_centred",
                                "--set", "bits_rule=formula"}))["metrics"],
            plain["metrics"]);
  const auto metrics = [](const char* setting) {
    return run_json(replay_of({"--set", setting}))["metrics"];
  };
  EXPECT_LT(metrics("range_rule=midpoint")["key_quantization_error"],
            plain["metrics"]["key_quantization_error"]);
  EXPECT_GT(metrics("variant=paper")["key_mean_bits"], plain["metrics"]["key_mean_bits"]);
  EXPECT_LT(metrics("store_scale=f16")["key_packed_bytes"]["scales"],
            plain["metrics"]["key_packed_bytes"]["scales"]);
  EXPECT_NE(metrics("key.q_norm=auto")["key_mean_bits"], plain["metrics"]["key_mean_bits"]);
}

TEST(Explain, AgreesWithTheReplay) {
  const json bits = run_json({"explain", kSample, "--cell", "value,14,1,20"});
  EXPECT_EQ(bits["mode"], "batch");
  EXPECT_EQ(bits["cell"]["cache"], "value");
  EXPECT_EQ(bits["cell"]["layer"], 14);
  EXPECT_EQ(bits["cell"]["text"], " over");
  EXPECT_EQ(bits["bits"]["n_bits"], 1);
  EXPECT_EQ(bits["bits"]["wanted"], 1);
  EXPECT_EQ(bits["bits"]["clamp"], "none");
  EXPECT_EQ(bits["bits"]["first_forced_token"], 60);
  EXPECT_EQ(bits["steps"].back()["formula"], "log2(range / (2 * max_error) + 1)");
  EXPECT_EQ(bits["unit"]["values"], 64);
  EXPECT_EQ(bits["unit"]["inliers"], 62);
}

TEST(Explain, PrintsTheFormulaWithItsNumbers) {
  const auto text = [](std::vector<std::string> more) {
    std::vector<std::string> words{"explain", kSample, "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  const std::string value = text({"--cell", "value,14,1,20"});
  for (const char* part : {"value of layer 14 (the model's number), KV head 1, token 20 \" over\"",
                           "sqrt(12 / T) * e / S_u", "= sqrt(12 / 64) * 1 / 0.02734",
                           "within 1 to 8 (n_bits_min, n_bits_max)",
                           "no: only tokens 60 to 63 get n_bits_max", "n_bits           = 1 bit"}) {
    EXPECT_NE(value.find(part), std::string::npos) << part << "\n" << value;
  }
  const std::string forced = text({"--cell", "key,3,0,62"});
  EXPECT_NE(forced.find("token 62 is among the newest last_n_attentions - 1 = 4"),
            std::string::npos);
  const std::string clamped = text({"--cell", "key,14,1,20", "--set", "n_bits_max=2"});
  EXPECT_NE(clamped.find("n_bits_max acts: limits are 1 to 2"), std::string::npos);
  const std::string bound = text({"--cell", "key,14,1,20", "--preset", "bound"});
  for (const char* part : {"kappa", "M_u", "90 % of the prefix's queries", "D / q_norm * v"}) {
    EXPECT_NE(bound.find(part), std::string::npos) << part;
  }
  EXPECT_NE(text({"--cell", "key,0,0,50", "--prefix", "40"}).find("behind the prefix of 40"),
            std::string::npos);
}

TEST(Explain, RefusesCellsThatAreNotThere) {
  const auto refusal = [](const std::string& cell) {
    const ProgramResult result = run_qaq({"explain", kSample, "--quiet", "--cell", cell});
    EXPECT_EQ(result.exit_code, 2) << cell;
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  EXPECT_EQ(refusal("key,30,0,0"),
            "qaq: --cell: layer 30 was not captured; give the model's number of a captured layer: "
            "0-29\n");
  EXPECT_EQ(refusal("key,3,3,0"), "qaq: --cell: KV head 3 is out of range; give 0 to 2\n");
  EXPECT_EQ(refusal("value,3,0,64"), "qaq: --cell: token 64 is out of range; give 0 to 63\n");
  for (const char* wrong :
       {"keys,1,1,1", "key,1,1", "key,1,1,1,1", "key,1,x,1", "key,1,1,1.5", ""}) {
    EXPECT_NE(refusal(wrong).find("write key|value,LAYER,KV_HEAD,TOKEN"), std::string::npos)
        << wrong;
  }
}

}  // namespace
}  // namespace qaq::test
