#pragma once

#include <string>
#include <vector>

#include "core/replay/explain.h"

namespace qaq {

/// What a symbol's number can be seen in or set with.
struct FormulaSource {
  enum class Kind {
    none,       ///< a step before, or a constant of the model
    parameter,  ///< `name` as in --set: "value.target_quantization_error", or "prefix"
    view        ///< `name` as `qaq-scope figure` has it: "attention", "outliers"
  };
  Kind kind = Kind::none;
  std::string name{};
};

/// A piece of a line: a symbol, the number that stands for one, or text as it is.
struct FormulaTerm {
  enum class Kind { text, symbol, number };
  Kind kind = Kind::text;
  std::string text;      ///< as it is written: " / ", "S_u", "0.0032"
  std::string symbol{};  ///< of a number, too
  double value = 0;      ///< of a symbol and of a number
  std::string meaning{};
  FormulaSource source{};
};

struct FormulaLine {
  enum class Kind {
    formula,  ///< symbol = formula
    numbers,  ///< = the same with numbers = value
    rounding  ///< n_bits before clamps: = ceil(value) = whole number
  };
  Kind kind = Kind::formula;
  std::string symbol;  ///< what the line gives
  std::vector<FormulaTerm> terms;
  double value = 0;
};

/// How the cell's bits were found, line by line: every step as formula and with its numbers, then
/// what rounding makes of the last. Nothing of a cell that is left exact. Whether a limit acts is
/// told by the explanation's BitChoice.
std::vector<FormulaLine> bit_formula(const CellExplanation& explanation);

/// "= sqrt(12 / 4) * 0.1 / 0.7".
std::string line_text(const FormulaLine& line);

}  // namespace qaq
