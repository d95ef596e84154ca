#include "core/analysis/alignment.h"

#include <algorithm>
#include <iterator>

#include "core/base/text.h"
#include "core/replay/captured_layers.h"

namespace qaq {
namespace {

std::string shape_text(const ModelShape& s) {
  return cat(s.n_layers, " layers of ", s.n_heads, " over ", s.n_kv_heads, " heads of ",
             s.head_dim);
}

std::string quoted(const std::string& text) { return cat("\"", text, "\""); }

// Why the two are not of one model; empty: they are.
std::string model_refusal(const CaptureInfo& a, const CaptureInfo& b) {
  const std::string names = cat(a.model_name, " and ", b.model_name);
  if (a.architecture != b.architecture) {
    return cat("the models differ: ", names, " are ", a.architecture, " and ", b.architecture);
  }
  const ModelShape &x = a.shape, &y = b.shape;
  if (x.n_layers != y.n_layers || x.n_heads != y.n_heads || x.n_kv_heads != y.n_kv_heads ||
      x.head_dim != y.head_dim) {
    return cat("the models differ: ", names, " have ", shape_text(x), " and ", shape_text(y));
  }
  if (!a.model_sha256.empty() && !b.model_sha256.empty() && a.model_sha256 != b.model_sha256) {
    return cat("the models differ: the weights of ", names, " have SHA-256 ",
               a.model_sha256.substr(0, 12), "... and ", b.model_sha256.substr(0, 12), "...");
  }
  return {};
}

bool same_token(const CaptureInfo& a, const CaptureInfo& b, std::size_t i) {
  return a.token_ids[i] == b.token_ids[i];
}

std::string token_refusal(const CaptureInfo& a, const CaptureInfo& b) {
  const auto n = static_cast<std::size_t>(std::min(a.n_tokens, b.n_tokens));
  for (std::size_t i = 0; i < n && same_token(a, b, i); ++i) {
    if (a.token_bytes[i] != b.token_bytes[i]) {
      return cat("the tokenizers differ: id ", a.token_ids[i], ", token ", i, ", is ",
                 quoted(a.token_text[i]), " and ", quoted(b.token_text[i]));
    }
  }
  const auto n_prompt = static_cast<std::size_t>(std::min(a.n_prompt, b.n_prompt));
  for (std::size_t i = 0; i < n_prompt; ++i) {
    if (!same_token(a, b, i)) {
      return cat("the prompts differ: token ", i, " is ", quoted(a.token_text[i]), " and ",
                 quoted(b.token_text[i]));
    }
  }
  return {};
}

}  // namespace

Alignment align(const CaptureInfo& a, const CaptureInfo& b) {
  Alignment out;
  out.refusal = model_refusal(a, b);
  if (out.refusal.empty()) out.refusal = token_refusal(a, b);
  const auto n = static_cast<std::size_t>(std::min(a.n_tokens, b.n_tokens));
  std::size_t common = 0;
  while (common < n && same_token(a, b, common)) ++common;
  out.n_tokens = static_cast<std::int64_t>(common);
  std::ranges::set_intersection(a.layers, b.layers, std::back_inserter(out.layers));
  if (out.refusal.empty() && out.layers.empty()) {
    out.refusal =
        cat("no layer is in both: A holds ", layer_list(a.layers), ", B ", layer_list(b.layers));
  }
  if (!out.allowed()) return out;
  if (a.n_tokens != b.n_tokens || common < n) {
    out.remark = cat("A has ", a.n_tokens, " tokens and B ", b.n_tokens, ": compared over the ",
                     common, " that they begin with");
  }
  if (a.layers != b.layers) {
    if (!out.remark.empty()) out.remark += "; ";
    out.remark += cat("of layers ", layer_list(out.layers));
  }
  return out;
}

std::vector<LayerPair> layer_pairs(const Alignment& alignment, const CaptureInfo& a,
                                   const CaptureInfo& b) {
  std::vector<LayerPair> out;
  for (const std::int32_t layer : alignment.layers) {
    out.push_back({layer, *captured_index(a.layers, layer), *captured_index(b.layers, layer)});
  }
  return out;
}

std::vector<RowPair> row_pairs(const Alignment& alignment, const CaptureInfo& a,
                               const CaptureInfo& b) {
  std::vector<RowPair> out;
  std::size_t i = 0, j = 0;
  while (i < a.query_token.size() && j < b.query_token.size()) {
    const std::int32_t x = a.query_token[i], y = b.query_token[j];
    if (x == y && x < alignment.n_tokens) {
      out.push_back({x, static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)});
    }
    if (x <= y) ++i;
    if (y <= x) ++j;
  }
  return out;
}

}  // namespace qaq
