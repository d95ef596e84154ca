#include "core/analysis/lesson_numbers.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/replay/memory_capture.h"
#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq {
namespace {

double value_of(std::string_view call, const LessonData& data = {}) {
  return std::get<double>(lesson_number(call, data).value);
}

std::string refusal_of(std::string_view call, const LessonData& data = {}) {
  try {
    lesson_number(call, data);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

// 2 layers, 2 query heads on 1 KV head of 4 channels, 6 tokens.
LessonData small_data() {
  const test::SyntheticShape shape{
      .n_layers = 2, .n_heads = 2, .n_kv_heads = 1, .n_tokens = 6, .head_dim = 4};
  LessonData data;
  data.capture = std::make_shared<MemoryCapture>(test::synthetic_info(shape),
                                                 test::synthetic_arrays(shape, 3));
  data.replay = replay(*data.capture, {});
  MeasuredRuns runs;
  const auto add = [&](const char* name, double kl, double interval) {
    runs.runs.push_back(
        {name,
         {{"kl_mean", kl}, {"kl_interval", interval}, {"same_top", .5}},
         {{"set", "--set outliers_ratio=0 --set n_bits_max=4 --set outliers_ratio=0.01"}}});
  };
  for (int bits = 1; bits <= 8; ++bits) {
    add(("key head " + std::to_string(bits)).c_str(), 1.0 / (1 << bits), .1);
  }
  add("far", 2, .1);
  runs.diagnoses.push_back({"loose", {{"kl_before", .5}}, {{"cause", "target too loose"}}});
  data.measured = std::make_shared<MeasuredRuns>(runs);
  return data;
}

TEST(LessonNumbers, GiveTheWorkedFormulas) {
  // 0.01 / (sqrt(9) * 0.3)
  EXPECT_NEAR(value_of("sigma_v(9, 0.01, 0.3)"), 0.0111, 0.00005);
  // sqrt(ln(729 / 8 * 0.0001 + 1) / 1000)
  EXPECT_NEAR(value_of("sigma_k(9, 0.01, 1000)"), 0.0030, 0.00005);
  // ceil(log2(2 / (sqrt(12) * 0.01111))) = ceil(5.70)
  EXPECT_EQ(value_of("bits_v(9, 0.01, 0.3, 2)"), 6);
}

TEST(LessonNumbers, GiveTheSizesOfKnownModels) {
  constexpr double kMiB = 1024 * 1024;
  EXPECT_EQ(value_of("cache_bytes(LLaMA-2-7B, 1024)"), 512 * kMiB);
  EXPECT_EQ(value_of("layer_bytes(LLaMA-2-7B, 1024)"), 16 * kMiB);
  EXPECT_EQ(value_of("token_bytes(LLaMA-2-7B)"), 0.5 * kMiB);
  EXPECT_EQ(value_of("cache_bytes(LLaMA-2-13B, 1024)"), 800 * kMiB);
  EXPECT_EQ(value_of("shape(LLaMA-2-7B, layers)"), 32);
  EXPECT_EQ(value_of("shape(LLaMA-2-7B, heads)"), 32);
  EXPECT_EQ(value_of("shape(LLaMA-2-7B, head_dim)"), 128);
  EXPECT_EQ(value_of("shape(LLaMA-2-7B, hidden)"), 4096);
  EXPECT_EQ(value_of("shape(LLaMA-2-70B, kv_heads)"), 8);
}

TEST(LessonNumbers, TellThePaperFromWhatItIsMadeOf) {
  EXPECT_EQ(value_of("paper(table1, LLaMA-2-7B, hellaswag, ratio, QAQ)"), 7.477);
  EXPECT_NEAR(value_of("flat_ratio(2, 0.01)"), 7.477, 0.0005) << "16 / (0.99 * 2 + 0.16)";
  // .730 / .722 - 1
  EXPECT_NEAR(value_of("paper_gain(table3, LLaMA-2-7B, hellaswag, accuracy, window 1, window 5)"),
              .0111, .00005);
  EXPECT_NEAR(value_of("paper_interval(table3, LLaMA-2-7B, hellaswag, accuracy, window 1)"), .0278,
              .00005);
  EXPECT_EQ(value_of("paper_questions"), 1000);
}

TEST(LessonNumbers, SayWhetherThePaperIsSureOfADifference) {
  const auto word = [](const char* call) {
    return std::get<std::string>(lesson_number(call, {}).value);
  };
  // .008 against sqrt(.0278^2 + .0275^2); .150 against the like.
  EXPECT_EQ(word("paper_differs(table3, LLaMA-2-7B, hellaswag, accuracy, window 1, window 5)"),
            "no");
  EXPECT_EQ(word("paper_differs(table2, LLaMA-2-7B, hellaswag, accuracy, without outliers, 1 % "
                 "outliers)"),
            "yes");
}

TEST(LessonNumbers, CountWhatARatioKeepsOfAUnit) {
  EXPECT_EQ(value_of("kept_of(64, 0.01)"), 2.0 / 64);
  EXPECT_EQ(value_of("kept_of(128, 0.01)"), 2.0 / 128);
}

TEST(LessonNumbers, AreOfTheCaptureAtHand) {
  const LessonData data = small_data();
  EXPECT_EQ(value_of("tokens", data), 6);
  EXPECT_EQ(value_of("shape(here, layers)", data), 2);
  EXPECT_EQ(value_of("token_bytes(here)", data), 2 * 2 * 1 * 4 * 2);
  EXPECT_EQ(value_of("cache_bytes(here, all)", data), 6 * 2 * 2 * 1 * 4 * 2);
  EXPECT_EQ(value_of("spread(key, count)", data), 2 * 1 * 6 * 4);
  EXPECT_EQ(value_of("now(prefix)", data), 6);
  EXPECT_GT(value_of("spread(key, largest)", data), value_of("spread(key, deviation)", data));
  const double bits = value_of("cell(value, here, 1, 0, 2, n_bits)", data);
  EXPECT_EQ(bits, data.replay->value.bits(1, 0, 2));
}

TEST(LessonNumbers, ReadWhatWasMeasured) {
  const LessonData data = small_data();
  EXPECT_EQ(value_of("run(key head 2, kl_mean)", data), .25);
  EXPECT_EQ(value_of("fewest_bits(key, head, 0.1)", data), 4) << "1/16 is the first below";
  EXPECT_EQ(value_of("change(key head 1, key head 2, kl_mean)", data), -.5);
  const auto word = [&](const char* call) {
    return std::get<std::string>(lesson_number(call, data).value);
  };
  EXPECT_EQ(word("differs(key head 7, key head 8)"), "no");
  EXPECT_EQ(word("differs(key head 8, far)"), "yes");
  EXPECT_EQ(word("setting(far, n_bits_max)"), "4");
  EXPECT_EQ(value_of("setting(far, outliers_ratio)", data), .01) << "what was said last";
  EXPECT_EQ(value_of("diagnosis(loose, kl_before)", data), .5);
  EXPECT_EQ(word("diagnosis(loose, cause)"), "target too loose");
  EXPECT_EQ(value_of("parameter(violation_ratio)", data), data.params.violation.violation_ratio);
  EXPECT_EQ(word("better(key head 2, far, kl_mean, first, second)"), "first");
}

TEST(LessonNumbers, SayWhatIsWrong) {
  EXPECT_NE(refusal_of("sigma_w(1, 2, 3)").find("did you mean sigma_"), std::string::npos);
  EXPECT_NE(refusal_of("sigma_v(9)").find("write sigma_v(T, e, S)"), std::string::npos);
  EXPECT_NE(refusal_of("sigma_v(9, x, 1)").find("'x' is no number"), std::string::npos);
  EXPECT_NE(refusal_of("tokens").find("needs a capture"), std::string::npos);
  EXPECT_NE(refusal_of("run(key hed 2, kl_mean)", small_data()).find("did you mean key head 2?"),
            std::string::npos);
  EXPECT_NE(refusal_of("diagnosis(lose, cause)", small_data()).find("did you mean loose?"),
            std::string::npos);
  EXPECT_NE(refusal_of("diagnosis(loose, colour)", small_data()), "");
  EXPECT_NE(refusal_of("cell(key, here, 9, 0, 0, n_bits)", small_data()), "");
  EXPECT_NE(refusal_of("token(6)", small_data()).find("there is no token 6"), std::string::npos);
}

TEST(LessonText, HasItsNumbersFilledIn) {
  const auto write = [](const LessonNumber& number) {
    return std::holds_alternative<double>(number.value)
               ? "<" + std::to_string(static_cast<int>(std::get<double>(number.value))) + ">"
               : std::get<std::string>(number.value);
  };
  EXPECT_EQ(fill_lesson_text("a {{shape(LLaMA-2-7B, layers)}} b {{ shape(LLaMA-2-7B,heads) }}", {},
                             write),
            "a <32> b <32>");
  EXPECT_EQ(fill_lesson_text("no number", {}, write), "no number");
  EXPECT_THROW(fill_lesson_text("{{shape(LLaMA-2-7B, layers)", {}, write), Error);
}

}  // namespace
}  // namespace qaq
