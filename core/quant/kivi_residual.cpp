#include "core/quant/kivi_residual.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

void require_kivi_groups(std::int64_t group_size, std::int64_t residual_length,
                         std::int64_t head_dim) {
  if (group_size < 1) {
    refuse_usage({.place = "group_size",
                  .what = cat(group_size, " tokens are no group"),
                  .cure = "give 1 or more"});
  }
  if (residual_length < 1 || residual_length % group_size != 0) {
    refuse_usage(
        {.place = "residual_length",
         .what = cat(residual_length, " tokens are no whole groups of ", group_size),
         .cure = cat("give a multiple of group_size, such as ",
                     group_size * std::max<std::int64_t>(1, residual_length / group_size))});
  }
  const std::int64_t channels = std::min(group_size, head_dim);
  if (head_dim % channels != 0) {
    refuse_usage({.place = "group_size",
                  .what = cat("groups of ", channels, " channels do not fill a head of ", head_dim),
                  .cure = "give a divisor of head_dim, or head_dim or more"});
  }
}

}  // namespace qaq
