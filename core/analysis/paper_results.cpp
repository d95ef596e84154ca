#include "core/analysis/paper_results.h"

#include <algorithm>
#include <array>

namespace qaq {
namespace {

constexpr std::string_view k7B = "LLaMA-2-7B", k13B = "LLaMA-2-13B";
constexpr std::string_view kHellaSwag = "hellaswag", kPiqa = "piqa", kMathQa = "mathqa";

constexpr auto kNumbers = std::to_array<PaperNumber>({
    {"fig2a", k7B, kHellaSwag, "key 1 bit", .27},
    {"fig2a", k7B, kHellaSwag, "key 2 bits", .36},
    {"fig2a", k7B, kHellaSwag, "key 3 bits", .76},
    {"fig2a", k7B, kHellaSwag, "value 1 bit", .42},
    {"fig2a", k7B, kHellaSwag, "value 2 bits", .775},
    {"fig4", k7B, kHellaSwag, "flat 1 bit", {}, 13.9},
    {"fig4", k7B, kHellaSwag, "flat 2 bits", {}, 7.48},
    {"fig4", k7B, kHellaSwag, "flat 3 bits", {}, 5.11},
    {"fig4", k7B, kHellaSwag, "flat 4 bits", {}, 3.88},
    {"fig4", k7B, kHellaSwag, "flat 6 bits", {}, 2.62},
    {"fig4", k7B, kHellaSwag, "flat 8 bits", {}, 1.98},
    {"table1", k7B, kHellaSwag, "QAQ", {}, 7.477},
    {"table1", k7B, kPiqa, "QAQ", {}, 9.022},
    {"table1", k7B, kMathQa, "QAQ", {}, 7.477},
    {"table1", k13B, kHellaSwag, "QAQ", {}, 8.394},
    {"table1", k13B, kPiqa, "QAQ", {}, 9.024},
    {"table1", k13B, kMathQa, "QAQ", {}, 7.888},
    {"table1", "OPT-6B", kHellaSwag, "Scissorhands", {}, 3},
    {"table1", "OPT-6B", kPiqa, "Scissorhands", {}, 5},
    {"table1", "OPT-6B", kMathQa, "Scissorhands", {}, 5},
    {"table1", "OPT-13B", kHellaSwag, "Scissorhands", {}, 5},
    {"table1", "OPT-13B", kPiqa, "Scissorhands", {}, 5},
    {"table1", "OPT-13B", kMathQa, "Scissorhands", {}, 5},
    {"table1", "OPT-30B", kPiqa, "H2O", {}, 5},
    {"table1", "OPT-30B", kMathQa, "H2O", {}, 5},
    {"table2", k7B, kHellaSwag, "without outliers", .572, 7.981},
    {"table2", k7B, kHellaSwag, "1 % outliers", .722, 7.629},
    {"table2", k7B, kPiqa, "without outliers", .707, 7.695},
    {"table2", k7B, kPiqa, "1 % outliers", .763, 7.333},
    {"table2", k7B, kMathQa, "without outliers", .250, 7.969},
    {"table2", k7B, kMathQa, "1 % outliers", .279, 7.497},
    {"table2", k13B, kHellaSwag, "without outliers", .660, 7.938},
    {"table2", k13B, kHellaSwag, "1 % outliers", .766, 7.583},
    {"table2", k13B, kPiqa, "without outliers", .737, 7.614},
    {"table2", k13B, kPiqa, "1 % outliers", .789, 7.223},
    {"table2", k13B, kMathQa, "without outliers", .257, 7.928},
    {"table2", k13B, kMathQa, "1 % outliers", .287, 7.453},
    {"table3", k7B, kHellaSwag, "window 1", .722, 7.628},
    {"table3", k7B, kHellaSwag, "window 5", .730, 7.377},
    {"table3", k7B, kPiqa, "window 1", .755, 7.820},
    {"table3", k7B, kPiqa, "window 5", .778, 6.797},
    {"table3", k7B, kMathQa, "window 1", .276, 7.633},
    {"table3", k7B, kMathQa, "window 5", .284, 7.331},
    {"table3", k13B, kHellaSwag, "window 1", .766, 7.583},
    {"table3", k13B, kHellaSwag, "window 5", .772, 7.340},
    {"table3", k13B, kPiqa, "window 1", .788, 7.692},
    {"table3", k13B, kPiqa, "window 5", .794, 6.802},
    {"table3", k13B, kMathQa, "window 1", .283, 7.588},
    {"table3", k13B, kMathQa, "window 5", .295, 7.321},
});

struct Claim {
  std::string_view item, text;
};
constexpr auto kClaims = std::to_array<Claim>({
    {"fig2a", "keys lose accuracy one bit earlier than values"},
    {"fig2b", "two tokens, near 21 and 27 of about 51, become important late"},
    {"fig2c", "keys and values have long tails; keys lie wider"},
    {"fig4", "QAQ stays above flat bits, most between 8× and 11×"},
    {"table1", "7.5 to 9× at less than 1 % accuracy lost"},
    {"table2", "outliers recover 12 to 26 % of accuracy at 4 % of the ratio"},
    {"table3", "a window of 5 gains 2 to 4 % over one of 1"},
});

}  // namespace

std::string_view paper_claim(std::string_view item) {
  const auto found = std::ranges::find(kClaims, item, &Claim::item);
  return found == kClaims.end() ? std::string_view{} : found->text;
}

std::vector<PaperNumber> paper_numbers(std::string_view item, std::string_view task) {
  std::vector<PaperNumber> all, of_task;
  for (const PaperNumber& number : kNumbers) {
    if (number.item != item) continue;
    all.push_back(number);
    if (number.task == task) of_task.push_back(number);
  }
  return of_task.empty() ? all : of_task;
}

}  // namespace qaq
