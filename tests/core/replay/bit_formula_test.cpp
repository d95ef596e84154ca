// The formula of a cell: its numbers are those of the explanation, and whoever computes with them
// gets the bits of the replay.
#include "core/replay/bit_formula.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <random>

#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

using Kind = FormulaTerm::Kind;

// What a line of numbers comes to, computed from its text's signs and its numbers, which are taken
// whole and not as they are written. Precedence as usual: ^ before * and / before + and -.
class Calculator {
 public:
  explicit Calculator(std::span<const FormulaTerm> terms) {
    for (const FormulaTerm& term : terms) {
      if (term.kind == Kind::text) {
        text_ += term.text;
      } else {
        numbers_[text_.size()] = term.value;
        text_ += '#';
      }
    }
  }
  double sum() {
    double out = product();
    for (char sign = next(); sign == '+' || sign == '-'; sign = next()) {
      ++at_;
      out += sign == '+' ? product() : -product();
    }
    return out;
  }

 private:
  char next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  double product() {
    double out = power();
    for (char sign = next(); sign == '*' || sign == '/'; sign = next()) {
      ++at_;
      out = sign == '*' ? out * power() : out / power();
    }
    return out;
  }
  double power() {
    const double base = atom();
    if (next() != '^') return base;
    ++at_;
    return std::pow(base, atom());
  }
  double atom() {
    const char first = next();
    if (first == '#') return numbers_.at(at_++);
    if (first == '(') return inside();
    if (std::isdigit(static_cast<unsigned char>(first)) != 0) {
      std::size_t length = 0;
      const double number = std::stod(text_.substr(at_), &length);
      at_ += length;
      return number;
    }
    for (const auto& [name, function] : std::map<std::string, double (*)(double)>{
             {"sqrt(", std::sqrt}, {"ln(", std::log}, {"log2(", std::log2}, {"exp(", std::exp}}) {
      if (!text_.substr(at_).starts_with(name)) continue;
      at_ += name.size() - 1;
      return function(inside());
    }
    throw std::logic_error("not a formula: " + text_);
  }
  double inside() {
    ++at_;
    const double out = sum();
    EXPECT_EQ(next(), ')') << text_;
    ++at_;
    return out;
  }

  std::string text_;
  std::map<std::size_t, double> numbers_;
  std::size_t at_ = 0;
};

// The terms of a line of numbers between "= " and " = result".
std::span<const FormulaTerm> right_side(const FormulaLine& line) {
  std::span<const FormulaTerm> terms(line.terms);
  terms = terms.subspan(1);
  return terms.size() < 3 ? terms : terms.first(terms.size() - 2);
}

ReplayOptions setting(Variant variant, BoundTarget target, Level level) {
  ReplayOptions options;
  options.prefix = 20;
  options.params.key.bound_target = target;
  for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
    side->variant = variant;
    side->level = level;
    side->outliers_ratio = 0.1;
    side->target_quantization_error = 0.07;
    side->n_bits_min = 0;
    side->last_n_attentions = 3;
    if (target == BoundTarget::output) side->horizon_tokens = 9;
  }
  if (variant != Variant::reference) options.params.key.q_norm = RealOrAuto::automatic();
  return options;
}

std::vector<ReplayOptions> all_settings() {
  std::vector<ReplayOptions> out;
  for (const Variant variant : {Variant::reference, Variant::paper, Variant::bound}) {
    for (const BoundTarget target : {BoundTarget::row, BoundTarget::entry, BoundTarget::output}) {
      for (const Level level : {Level::token, Level::layer, Level::head}) {
        out.push_back(setting(variant, target, level));
      }
    }
  }
  out.push_back(setting(Variant::bound, BoundTarget::row, Level::head));
  out.back().params.key.target_quantization_error = 1e3;  // the cap acts
  out.push_back(setting(Variant::reference, BoundTarget::row, Level::head));
  out.back().params.key.use_attentions = out.back().params.value.use_attentions = false;
  return out;
}

TEST(BitFormula, ItsNumbersGiveTheBitsOfTheReplay) {
  const MemoryCapture capture = synthetic_capture();
  std::mt19937 random(11);
  const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % n); };
  int n_cells = 0;
  for (const ReplayOptions& options : all_settings()) {
    const auto result = replay(capture, options);
    Explainer explainer(capture, options);
    for (int round = 0; round < 12; ++round) {
      const CellAddress cell{round % 2 == 0 ? CacheSide::key : CacheSide::value, below(2), below(2),
                             below(20)};
      const CellExplanation x = explainer.explain(cell);
      double before = 0;
      for (const FormulaLine& line : bit_formula(x)) {
        if (line.kind != FormulaLine::Kind::numbers) continue;
        const double value = Calculator(right_side(line)).sum();
        EXPECT_NEAR(value, line.value, 2e-5 * std::max(1e-3, std::abs(line.value)))
            << line.symbol << " " << line_text(line);
        if (line.symbol == "b") before = value;
      }
      EXPECT_NEAR(before, x.bits.before_rounding, 1e-4);
      int n_bits = static_cast<int>(std::ceil(before - 1e-4));
      if (x.params.use_attentions) {
        n_bits = std::clamp(n_bits, x.params.n_bits_min, x.params.n_bits_max);
        if (cell.token >= x.first_forced) n_bits = x.params.n_bits_max;
      }
      const CacheReplay& cache = cell.side == CacheSide::key ? result->key : result->value;
      EXPECT_EQ(n_bits, cache.bits(cell.layer, cell.kv_head, cell.token));
      ++n_cells;
    }
  }
  EXPECT_EQ(n_cells, 29 * 12);
}

TEST(BitFormula, EverySymbolHasTheNumberThatStandsForIt) {
  const MemoryCapture capture = synthetic_capture();
  for (const ReplayOptions& options : all_settings()) {
    const CellExplanation x = explain_cell(capture, options, {CacheSide::key, 1, 0, 5});
    const auto lines = bit_formula(x);
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
      if (lines[i].kind != FormulaLine::Kind::formula) continue;
      ASSERT_EQ(lines[i + 1].kind, FormulaLine::Kind::numbers);
      std::vector<std::string> symbols, stand_ins;
      for (const FormulaTerm& term : std::span(lines[i].terms).subspan(1)) {
        if (term.kind == Kind::symbol) symbols.push_back(term.symbol);
      }
      for (const FormulaTerm& term : right_side(lines[i + 1])) {
        if (term.kind == Kind::number) stand_ins.push_back(term.symbol);
      }
      EXPECT_EQ(symbols, stand_ins) << line_text(lines[i]);
      for (const FormulaTerm& term : lines[i + 1].terms) {
        if (term.kind != Kind::number) continue;
        EXPECT_EQ(term.text, short_number(term.value));
      }
    }
  }
}

TEST(BitFormula, ByHand) {
  const MemoryCapture capture = synthetic_capture();
  ReplayOptions options;
  options.params.value.target_quantization_error = 0.1;
  const CellExplanation x = explain_cell(capture, options, {CacheSide::value, 0, 1, 5});
  const auto lines = bit_formula(x);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(line_text(lines[0]), "max_error = sqrt(12 / T) * e / S_u");
  EXPECT_TRUE(line_text(lines[1]).starts_with("= sqrt(12 / 24) * 0.1 / ")) << line_text(lines[1]);
  EXPECT_EQ(line_text(lines[2]), "b = log2(range / (2 * max_error) + 1)");
  EXPECT_EQ(line_text(lines[4]), "= ceil(" + short_number(x.bits.before_rounding) +
                                     ") = " + std::to_string(x.bits.choice.wanted));
  const auto source = [&](std::size_t line, const std::string& symbol) {
    return std::ranges::find(lines[line].terms, symbol, &FormulaTerm::symbol)->source;
  };
  EXPECT_EQ(source(0, "e").name, "value.target_quantization_error");
  EXPECT_EQ(source(1, "e").kind, FormulaSource::Kind::parameter);
  EXPECT_EQ(source(0, "T").name, "prefix");
  EXPECT_EQ(source(0, "S_u").name, "attention");
  EXPECT_EQ(source(0, "S_u").kind, FormulaSource::Kind::view);
  EXPECT_EQ(source(2, "range").name, "outliers");
  EXPECT_EQ(source(2, "max_error").kind, FormulaSource::Kind::none) << "the line above says it";
}

TEST(BitFormula, FixedBitsAndExactCellsHaveTheirs) {
  const MemoryCapture capture = synthetic_capture();
  ReplayOptions options;
  options.params.key.use_attentions = false;
  options.params.key.n_bits_uniform = 3;
  const auto lines = bit_formula(explain_cell(capture, options, {CacheSide::key, 0, 0, 5}));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(line_text(lines[0]), "b = n_bits_uniform");
  EXPECT_EQ(line_text(lines[1]), "= 3");
  EXPECT_EQ(lines[1].terms.back().source.name, "key.n_bits_uniform");
  options.params.key.level = Level::no_quantization;
  EXPECT_TRUE(bit_formula(explain_cell(capture, options, {CacheSide::key, 0, 0, 5})).empty());
}

TEST(BitFormula, MeasuredBitsShowTheErrorsThatTheyWereChosenBy) {
  const MemoryCapture capture = synthetic_capture();
  ReplayOptions options = setting(Variant::bound, BoundTarget::row, Level::head);
  options.params.key.bits_rule = BitsRule::measured;
  const CellExplanation x = explain_cell(capture, options, {CacheSide::key, 1, 1, 5});
  const auto lines = bit_formula(x);
  const FormulaLine& last = lines.back();
  EXPECT_EQ(last.symbol, "MSE");
  EXPECT_EQ(last.terms[0].source.name, "errors");
  EXPECT_LE(last.value, x.bits.choice.error);
  EXPECT_NE(line_text(last).find("measured at " + std::to_string(x.bits.choice.wanted)),
            std::string::npos);
}

}  // namespace
}  // namespace qaq::test
