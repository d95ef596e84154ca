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

void Ops::set_sparse_top_k(std::int64_t top_k) {
  if (top_k == 0) return;
  throw Error(ErrorKind::work, {.place = cat("sparse_top_k ", top_k),
                                .what = "this backend's queries attend to all keys",
                                .cure = "run with --device cpu, or set sparse_top_k=0"});
}

}  // namespace qaq
