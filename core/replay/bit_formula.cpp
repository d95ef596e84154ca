#include "core/replay/bit_formula.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/base/text.h"
#include "core/replay/cache_replay.h"

namespace qaq {
namespace {

using Source = FormulaSource;

FormulaSource source_of(const std::string& symbol, const CellExplanation& x) {
  const auto parameter = [&](const char* name) {
    return Source{Source::Kind::parameter, cat(name_of(x.cell.side), ".", name)};
  };
  if (symbol == "e") return parameter("target_quantization_error");
  if (symbol == "q_norm") {
    if (x.params.sensitivity == Sensitivity::ema) return parameter("sensitivity");
    return parameter(x.params.q_norm.number ? "q_norm" : "q_norm_quantile");
  }
  constexpr std::array<const char*, 3> kParameters{"horizon_tokens", "v_max", "n_bits_uniform"};
  const auto own = std::ranges::find(kParameters, symbol);
  if (own != kParameters.end()) return parameter(*own);
  if (symbol == "T") return {Source::Kind::parameter, "prefix"};
  if (symbol == "S_u" || symbol == "M_u") return {Source::Kind::view, "attention"};
  if (symbol == "range") return {Source::Kind::view, "outliers"};
  if (symbol.starts_with("MSE")) return {Source::Kind::view, "errors"};
  return {};
}

// Makes lines of one explanation.
class Lines {
 public:
  explicit Lines(const CellExplanation& x) : x_(x) {}

  std::vector<FormulaLine> write() {
    if (!x_.why_exact.empty()) return {};
    if (!x_.params.use_attentions) {
      add_step({.symbol = "b",
                .meaning = "bits of every unit",
                .terms = {{.text = "n_bits_uniform", .number = x_.params.n_bits_uniform}},
                .value = x_.bits.before_rounding});
      return std::move(out_);
    }
    for (const BitStep& step : x_.bits.steps) {
      if (!step.terms.empty()) {
        add_step(step);
      } else if (step.symbol.starts_with("MSE")) {
        add_measured(step);
      }
    }
    if (x_.params.bits_rule == BitsRule::formula) add_rounding();
    return std::move(out_);
  }

 private:
  // Of a symbol that the steps give.
  std::string meaning_of(const std::string& symbol) const {
    const auto step = std::ranges::find(x_.bits.steps, symbol, &BitStep::symbol);
    return step == x_.bits.steps.end() ? std::string() : step->meaning;
  }

  FormulaTerm symbol_term(const std::string& symbol, double value) const {
    return {.kind = FormulaTerm::Kind::symbol,
            .text = symbol,
            .symbol = symbol,
            .value = value,
            .meaning = meaning_of(symbol),
            .source = source_of(symbol, x_)};
  }
  FormulaTerm number_term(const std::string& symbol, double value) const {
    FormulaTerm term = symbol_term(symbol, value);
    term.kind = FormulaTerm::Kind::number;
    term.text = short_number(value);
    return term;
  }

  void add_step(const BitStep& step) {
    FormulaLine formula{.kind = FormulaLine::Kind::formula, .symbol = step.symbol, .terms = {}};
    formula.terms = {symbol_term(step.symbol, step.value), {.text = " = "}};
    formula.value = step.value;
    FormulaLine numbers{.kind = FormulaLine::Kind::numbers, .symbol = step.symbol, .terms = {}};
    numbers.terms = {{.text = "= "}};
    numbers.value = step.value;
    for (const BitTerm& term : step.terms) {
      if (!term.number) {
        formula.terms.push_back({.text = term.text});
        if (!term.is_remark) numbers.terms.push_back({.text = term.text});
        continue;
      }
      formula.terms.push_back(symbol_term(term.text, *term.number));
      numbers.terms.push_back(number_term(term.text, *term.number));
    }
    // A lone number is the value already.
    if (numbers.terms.size() > 2) {
      numbers.terms.push_back({.text = " = "});
      numbers.terms.push_back(number_term(step.symbol, step.value));
    }
    out_.push_back(std::move(formula));
    out_.push_back(std::move(numbers));
  }

  void add_measured(const BitStep& step) {
    FormulaLine line{.kind = FormulaLine::Kind::numbers, .symbol = step.symbol, .terms = {}};
    line.value = step.value;
    line.terms = {symbol_term("MSE", step.value),
                  {.text = " = "},
                  number_term("MSE", step.value),
                  {.text = cat(", ", step.meaning)}};
    out_.push_back(std::move(line));
  }

  void add_rounding() {
    FormulaLine line{.kind = FormulaLine::Kind::rounding, .symbol = "n_bits", .terms = {}};
    line.value = x_.bits.choice.wanted;
    if (std::isfinite(x_.bits.before_rounding)) {
      line.terms = {{.text = "= ceil("},
                    number_term("b", x_.bits.before_rounding),
                    {.text = ") = "},
                    number_term("n_bits", line.value)};
    } else {
      line.terms = {{.text = "no bits are needed: any error is allowed"}};
    }
    out_.push_back(std::move(line));
  }

  const CellExplanation& x_;
  std::vector<FormulaLine> out_;
};

}  // namespace

std::vector<FormulaLine> bit_formula(const CellExplanation& explanation) {
  return Lines(explanation).write();
}

std::string line_text(const FormulaLine& line) {
  std::string out;
  for (const FormulaTerm& term : line.terms) out += term.text;
  return out;
}

}  // namespace qaq
