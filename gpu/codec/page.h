// The mixed-bit cache as it lies on the device: pages of 16 tokens of one width.
//
// A list is what one cache, keys or values, holds of one (layer, kv_head). Softmax does not care
// for the order of tokens, so a list keeps them sorted by width: its table names its pages,
// narrowest width first, and all pages of a width but its last are full. A page's place says where
// it lies; places are as large as the widest page, so a page may take any free one and nothing has
// to be looked for or moved when widths change.
//
// A page's codes are those of operand A of multiply_add (gpu/cuda/portable.h), as lanes hold them.
// Sixteen channels are a chunk, which with the sixteen tokens makes one operand; of keys tokens are
// its rows, of values channels. Four chunks are a group (the last of a page may be two), and a
// group is a run of words for every lane: its planes one after another. A width is a sum of planes
// of 8, 4, 2 and 1 bits (16 = 8 + 8), the most significant first. In a plane of width w the lane's
// sixteen pairs of codes (chunk by chunk a[0] to a[3]) follow each other, 16 / w a word: a pair's
// first code at bit w * i, its second at 16 + w * i. So a shift and a mask make two codes at once.
// The words of a run change places with those of other lanes so that a warp's loads are whole:
// word_place(). Channels behind head_dim have code 0; what lies in an empty slot has no meaning.
//
// A code u, 0 to 2^bits - 1, stands for what core's decode() gives for u counted from the lowest
// code, with the scale and base of its row (RowGrid). An outlier has code 0; its value is kept
// beside the pages, in the order of (token, channel): it does not change with the bits.
#pragma once

#include <cstdint>

#include "core/quant/arith.h"
#include "core/quant/quantizer_spec.h"
#include "core/tensor/dtype.h"

namespace qaq::cuda {

enum class Side : std::uint8_t { key, value };

inline constexpr int kPageTokens = 16;
inline constexpr int kChunkChannels = 16;
inline constexpr int kGroupChunks = 4;
inline constexpr int kGroupChannels = kGroupChunks * kChunkChannels;
inline constexpr int kMaxPageDim = 256;
inline constexpr int kWidths = kMaxBits + 1;     // 0 to 16
inline constexpr std::uint8_t kInNoPage = 0xff;  // instead of a width: evicted, or not packed yet
inline constexpr std::int64_t kMaxPages = 8192;  // of a list

/// Chunks of a page: an even number.
QAQ_HD constexpr int page_chunks(int head_dim) {
  return (head_dim + 2 * kChunkChannels - 1) / (2 * kChunkChannels) * 2;
}
QAQ_HD constexpr int page_groups(int head_dim) {
  return (page_chunks(head_dim) + kGroupChunks - 1) / kGroupChunks;
}
/// Chunks of a group: four, or two at the end of a page.
QAQ_HD constexpr int group_chunks(int head_dim, int group) {
  return page_chunks(head_dim) - group * kGroupChunks < kGroupChunks ? 2 : kGroupChunks;
}

/// Planes that there may be, widest first; those of a width are a choice of these.
inline constexpr int kPlanes = 5;
QAQ_HD constexpr int plane_width(int plane) { return plane < 2 ? 8 : 8 >> (plane - 1); }
QAQ_HD constexpr bool has_plane(int bits, int plane) {
  return bits == kMaxBits ? plane < 2 : plane != 1 && (bits & plane_width(plane)) != 0;
}
/// Bits of a code below those of the plane.
QAQ_HD constexpr int plane_shift(int bits, int plane) {
  int shift = bits;
  for (int i = 0; i <= plane; ++i) shift -= has_plane(bits, i) ? plane_width(i) : 0;
  return shift;
}
/// Words of a lane that a plane takes in a group of so many chunks.
QAQ_HD constexpr int plane_words(int width, int chunks) { return (chunks * width + 3) / 4; }
/// The first of them in the lane's run: what the planes before take; of all planes with kPlanes.
QAQ_HD constexpr int plane_first(int bits, int plane, int chunks) {
  int words = 0;
  for (int i = 0; i < plane; ++i) {
    words += has_plane(bits, i) ? plane_words(plane_width(i), chunks) : 0;
  }
  return words;
}
/// Words of a lane's run in a group: as many as bits where the group is whole.
QAQ_HD constexpr int run_words(int bits, int chunks) { return plane_first(bits, kPlanes, chunks); }

/// Where a group begins in its page, in words: those before it are whole.
QAQ_HD constexpr int group_first(int bits, int group) { return 32 * bits * group; }
/// Words of a page.
QAQ_HD constexpr int page_words(int bits, int head_dim) {
  const int last = page_groups(head_dim) - 1;
  return group_first(bits, last) + 32 * run_words(bits, group_chunks(head_dim, last));
}

/// Words of a place, for pages of up to max_bits: with padding a narrower page may be the larger.
constexpr int largest_page(int max_bits, int head_dim) {
  int words = 0;
  for (int bits = 0; bits <= max_bits; ++bits) {
    words = words < page_words(bits, head_dim) ? page_words(bits, head_dim) : words;
  }
  return words;
}

/// Where word `word` of a lane's run of `n` lies in its group: four words of a lane side by side as
/// far as there are four, then two, then one, so that loads of that size by a warp follow each
/// other without gaps.
QAQ_HD constexpr int word_place(int n, int word, int lane) {
  const int in_fours = n / 4 * 4;
  if (word < in_fours) return (word / 4 * 32 + lane) * 4 + word % 4;
  const int first_single = in_fours + n % 4 / 2 * 2;
  if (word < first_single) return 32 * in_fours + lane * 2 + word - in_fours;
  return 32 * first_single + lane;
}

/// Who holds the code of (slot, channel of its chunk): code `half` of pair `pair` (0 to 3) of lane
/// `lane`.
struct CodeHolder {
  int lane = 0;
  int pair = 0;
  int half = 0;
};
QAQ_HD constexpr CodeHolder code_holder(Side side, int slot, int channel) {
  const int row = side == Side::key ? slot : channel, column = side == Side::key ? channel : slot;
  return {4 * (row % 8) + column % 8 / 2, row / 8 + 2 * (column / 8), column % 2};
}
/// The reverse.
QAQ_HD constexpr int held_slot(Side side, const CodeHolder& at) {
  const int row = at.lane / 4 + 8 * (at.pair % 2);
  const int column = 2 * (at.lane % 4) + at.half + 8 * (at.pair / 2);
  return side == Side::key ? row : column;
}
QAQ_HD constexpr int held_channel(Side side, const CodeHolder& at) {
  return held_slot(side == Side::key ? Side::value : Side::key, at);
}

/// Where the bits of a plane of pair `pair` (0 to 15: 4 chunk + pair of the chunk) lie in a lane's
/// run.
struct PlaneBits {
  int word = 0;  ///< of the plane
  int shift = 0;
};
QAQ_HD constexpr PlaneBits plane_bits(int width, int pair, int half) {
  const int pairs = 16 / width;
  return {pair / pairs, width * (pair % pairs) + 16 * half};
}

/// The code of (slot, channel) of a page of `bits`.
QAQ_HD inline unsigned code_in_page(const std::uint32_t* page, int bits, int head_dim, Side side,
                                    int slot, int channel) {
  const int group = channel / kGroupChannels, chunk = channel / kChunkChannels % kGroupChunks;
  const int chunks = group_chunks(head_dim, group), n = run_words(bits, chunks);
  const CodeHolder at = code_holder(side, slot, channel % kChunkChannels);
  const std::uint32_t* words = page + group_first(bits, group);
  unsigned code = 0;
  int first = 0;
  for (int plane = 0; plane < kPlanes; ++plane) {
    if (!has_plane(bits, plane)) continue;
    const int width = plane_width(plane);
    const PlaneBits place = plane_bits(width, 4 * chunk + at.pair, at.half);
    const std::uint32_t word = words[word_place(n, first + place.word, at.lane)];
    code = code << width | (word >> place.shift & ((1u << width) - 1));
    first += plane_words(width, chunks);
  }
  return code;
}

/// An entry of a list's table.
struct Page {
  std::int32_t place = 0;
  std::int32_t bits = 0;
};

/// Scale and base of a row. Scale 0: every inlier of the row is the base.
struct alignas(8) RowGrid {
  float scale = 0;
  float base = 0;
};

/// The steps from the base to code 0.
QAQ_HD constexpr float first_step(RangeRule rule, int bits) {
  if (rule == RangeRule::mean_centred)
    return bits == 0 ? 0.0f : -static_cast<float>(1 << (bits - 1));
  return rule == RangeRule::midpoint ? 0.5f : 0.0f;
}
/// What a code stands for, as core's decode() has it.
QAQ_HD inline float value_of_code(RangeRule rule, const RowGrid& row, int bits, unsigned code) {
  if (!(row.scale > 0.0f)) return row.base;
  return (static_cast<float>(code) + first_step(rule, bits)) * row.scale + row.base;
}

/// Outliers of a (list, token): entries [first, first + n) of the list's.
struct alignas(8) OutlierRun {
  std::int32_t first = 0;
  std::int32_t n = 0;
};

/// Why a list could not follow its plan; the plan before is what it still holds, or some outliers
/// are missing. Bits of PagedCache::problems.
enum ListProblem : std::int32_t {
  kBitsNotPlanned = 1,  ///< a unit has more bits than the cache was made for
  kPagesFull = 2,       ///< more pages than there are places
  kOutliersFull = 4,    ///< more outliers than there is room for
};

struct ListState {
  std::int32_t n_tokens_of[kWidths] = {};  ///< tokens of each width
  std::int32_t n_pages = 0;
  std::int32_t n_packed = 0;  ///< tokens that the last plan covered
  std::int32_t n_outliers = 0;
};

/// What changes from step to step, in device memory so that a graph may read it: token n_tokens - 1
/// is the newest, and those from n_packed on lie unquantized in tail rows.
struct CacheLengths {
  std::int32_t n_tokens = 0;
  std::int32_t n_packed = 0;
};

/// One cache, keys or values, of n_lists = n_layers * n_kv_heads lists: where its parts lie on the
/// device, and its sizes. Kernels get it by value.
struct PagedCache {
  Side side = Side::key;
  RangeRule rule = RangeRule::mean_centred;
  DType dtype = DType::f32;  ///< of values that are kept exactly
  std::int32_t n_lists = 0;
  std::int32_t n_kv_heads = 0;
  std::int32_t head_dim = 0;
  std::int32_t max_tokens = 0;
  std::int32_t max_pages = 0;        ///< of a list
  std::int32_t max_bits = 0;         ///< of a unit
  std::int32_t max_outliers = 0;     ///< of a list
  std::int32_t units_per_token = 0;  ///< UnitLayout's: 1, n_layers or n_lists
  std::int32_t place_words = 0;      ///< largest_page()

  ListState* states = nullptr;         ///< (n_lists)
  Page* pages = nullptr;               ///< (n_lists, max_pages), the first n_pages
  std::uint32_t* changed = nullptr;    ///< (n_lists, max_pages) a bit a slot that is to be written
  std::int32_t* tokens = nullptr;      ///< (n_lists, places, 16) by place; -1: empty
  RowGrid* grids = nullptr;            ///< (n_lists, places, 16)
  std::uint32_t* payload = nullptr;    ///< (n_lists, places, place_words)
  std::int32_t* ordinals = nullptr;    ///< (n_lists, places) among the pages of a width
  std::uint8_t* held = nullptr;        ///< (n_lists, max_tokens) widths, or kInNoPage
  std::int32_t* slots = nullptr;       ///< (n_lists, max_tokens) 16 * place + slot
  OutlierRun* outlier_runs = nullptr;  ///< (n_lists, max_tokens); null: there are no outliers
  std::uint16_t* outlier_channels = nullptr;  ///< (n_lists, max_outliers)
  void* outlier_values = nullptr;             ///< (n_lists, max_outliers)
  std::int32_t* problems = nullptr;           ///< one for all lists: every ListProblem so far

  /// Where a list, a place, a token of a list begin. There are as many places as pages.
  QAQ_HD std::int64_t place(std::int64_t list, std::int64_t place) const {
    return list * max_pages + place;
  }
  QAQ_HD std::int64_t token(std::int64_t list, std::int64_t token) const {
    return list * max_tokens + token;
  }
  QAQ_HD std::uint32_t* words(std::int64_t list, std::int64_t at) const {
    return payload + place(list, at) * place_words;
  }
  bool has_lists(std::int32_t first, std::int32_t n) const {
    return first >= 0 && n >= 0 && first + n <= n_lists;
  }
  /// The unit that a list's row of a token belongs to, in core's numbering.
  QAQ_HD std::int64_t unit(std::int64_t list, std::int64_t token) const {
    return token * units_per_token + list / (n_lists / units_per_token);
  }
};

/// Pages that a list may need: as many widths as there may be with one token more than whole pages.
constexpr std::int64_t pages_needed(std::int64_t max_tokens, std::int64_t n_widths) {
  const std::int64_t partly = n_widths < max_tokens ? n_widths : max_tokens;
  return (max_tokens + (kPageTokens - 1) * partly) / kPageTokens;
}

/// Whether kernels can hold such a cache.
inline bool fits(const PagedCache& cache) {
  return cache.head_dim >= 1 && cache.head_dim <= kMaxPageDim && cache.max_pages <= kMaxPages &&
         cache.max_bits >= 0 && cache.max_bits <= kMaxBits && cache.n_kv_heads >= 1 &&
         cache.n_lists % cache.n_kv_heads == 0 && cache.units_per_token >= 1 &&
         cache.n_lists % cache.units_per_token == 0 &&
         cache.place_words >= largest_page(cache.max_bits, cache.head_dim);
}

}  // namespace qaq::cuda
