#include "core/engine/ops.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw Error(ErrorKind::work, {.place = place, .what = what, .cure = "run with --device cpu"});
}

}  // namespace

void Ops::layer_norm(const Tensor&, const NormWeights&, std::int64_t, const Tensor&) {
  refuse("norm", "this backend has no LayerNorm");
}

void Ops::add_positions(const Tensor&, const BatchRows&, const Tensor&) {
  refuse("positions", "this backend has no learned positions");
}

void Ops::activate_plain(const Tensor&, std::int64_t) {
  refuse("feed-forward part", "this backend computes SwiGLU alone");
}

void Ops::replace_rows(std::int64_t layer, std::span<const CacheRow>) {
  refuse(cat("cache of layer ", layer),
         "this backend cannot replace single rows of its cache while it decodes");
}

void Ops::set_kept(SharedArray<std::uint8_t, 3> kept) {
  if (!kept) return;
  throw Error(ErrorKind::work,
              {.place = "evicted tokens",
               .what = "this backend cannot leave tokens of its cache out of the attention",
               .cure = "run with --device cpu"});
}

void Ops::set_sparse_top_k(std::int64_t top_k) {
  if (top_k == 0) return;
  throw Error(ErrorKind::work, {.place = cat("sparse_top_k ", top_k),
                                .what = "this backend's queries attend to all keys",
                                .cure = "run with --device cpu, or set sparse_top_k=0"});
}

}  // namespace qaq
