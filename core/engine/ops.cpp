#include "core/engine/ops.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

void Ops::replace_rows(std::int64_t layer, std::span<const CacheRow>) {
  throw Error(ErrorKind::work,
              {.place = cat("cache of layer ", layer),
               .what = "this backend cannot replace single rows of its cache while it decodes",
               .cure = "run with --device cpu"});
}

void Ops::set_kept(SharedArray<std::uint8_t, 3> kept) {
  if (!kept) return;
  throw Error(ErrorKind::work,
              {.place = "evicted tokens",
               .what = "this backend cannot leave tokens of its cache out of the attention",
               .cure = "run with --device cpu"});
}

}  // namespace qaq
