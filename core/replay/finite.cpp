#include "core/replay/finite.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

void refuse_nonfinite(const NdView<const float, 3>& numbers, const std::string& file,
                      std::int32_t layer, const AxisWords& words, DType dtype) {
  const auto all = numbers.span();
  const auto bad = std::find_if(all.begin(), all.end(),
                                [&](float x) { return !std::isfinite(rounded(x, dtype)); });
  if (bad == all.end()) return;
  const std::int64_t at = bad - all.begin(), column = at % numbers.shape(2);
  const std::int64_t row = at / numbers.shape(2) % numbers.shape(1);
  const std::int64_t head = at / (numbers.shape(1) * numbers.shape(2));
  const bool too_large = std::isfinite(*bad);
  refuse_input(
      {.file = file,
       .place = cat(words.what, ", layer ", layer, ", ", words.head, ' ', head, ", ", words.row,
                    ' ', words.first_row + row, ", ", words.column, ' ', column),
       .what = too_large          ? cat(*bad, " is more than ", name_of(dtype), " holds")
               : std::isnan(*bad) ? std::string("is not a number")
                                  : std::string("is infinite"),
       .cure = too_large ? "take another --dtype"
                         : "capture again; if it stays, the model itself computes it"});
}

}  // namespace qaq
