#pragma once

#include "tests/gpu/cases/pages.h"

namespace qaq::cases {

/// A code by the words of gpu/codec/page.h alone: plane by plane, pair by pair.
inline unsigned code_by_the_book(const std::uint32_t* page, int bits, int head_dim, cuda::Side side,
                                 int slot, int channel) {
  const int row = side == cuda::Side::key ? slot : channel % 16;
  const int column = side == cuda::Side::key ? channel % 16 : slot;
  const int lane = 4 * (row % 8) + column % 8 / 2;
  const int pair = channel / 16 % 4 * 4 + (row >= 8 ? 1 : 0) + (column >= 8 ? 2 : 0);
  const int chunks = std::min(4, (head_dim + 31) / 32 * 2 - channel / 64 * 4);
  std::vector<int> planes = bits == 16 ? std::vector<int>{8, 8} : std::vector<int>{};
  for (int width = 8; width > 0 && bits < 16; width /= 2) {
    if ((bits & width) != 0) planes.push_back(width);
  }
  int n = 0;
  for (const int width : planes) n += (4 * chunks * width + 15) / 16;
  unsigned code = 0;
  int first = 0;
  for (const int width : planes) {
    int word = first + pair * width / 16;
    first += (4 * chunks * width + 15) / 16;
    // Fours of words lie lane by lane, then a two, then a one.
    int place = 0, left = n;
    for (const int size : {4, 2, 1}) {
      bool found = false;
      while (left >= size && !found) {
        found = word < size;
        if (found) {
          place += lane * size + word;
        } else {
          place += 32 * size;
          word -= size;
          left -= size;
        }
        if (size < 4) break;
      }
      if (found) break;
    }
    const std::uint32_t bits32 = page[32 * bits * (channel / 64) + place];
    code =
        code << width | (bits32 >> (pair * width % 16 + 16 * (column % 2)) & ((1u << width) - 1));
  }
  return code;
}

/// Codes, and numbers beside them, that are not core's.
inline double n_wrong_codes(const FollowedPages& pages) {
  const cuda::PagedCache& cache = pages.device().cache();
  const int d = cache.head_dim;
  const std::int64_t places = cache.n_lists * static_cast<std::int64_t>(cache.max_pages);
  const auto states = DevicePages::host(cache.states, cache.n_lists);
  const auto tables = DevicePages::host(cache.pages, places);
  const auto tokens = DevicePages::host(cache.tokens, places * 16);
  const auto payload = DevicePages::host(cache.payload, places * cache.place_words);
  double n = pages.device().problems() != 0 ? 1 : 0, n_seen = 0;
  for (std::int64_t list = 0; list < cache.n_lists; ++list) {
    const cuda::ListState& state = states[static_cast<std::size_t>(list)];
    n += state.n_packed != pages.n_packed() ? 1 : 0;
    for (std::int64_t k = 0; k < state.n_pages; ++k) {
      const cuda::Page page = tables[static_cast<std::size_t>(cache.place(list, k))];
      const auto place = static_cast<std::size_t>(cache.place(list, page.place));
      const std::uint32_t* words =
          payload.data() + place * static_cast<std::size_t>(cache.place_words);
      for (int slot = 0; slot < 16; ++slot) {
        const std::int32_t token = tokens[place * 16 + static_cast<std::size_t>(slot)];
        if (token < 0) continue;
        ++n_seen;
        const auto row = static_cast<std::size_t>(cache.token(list, token) * d);
        for (int c = 0; c < d; ++c) {
          const unsigned want = pages.codes()[row + static_cast<std::size_t>(c)];
          n += code_by_the_book(words, page.bits, d, cache.side, slot, c) != want ? 1 : 0;
        }
      }
    }
  }
  for (const std::uint8_t held : pages.held()) n_seen -= held != cuda::kInNoPage ? 1 : 0;
  return n + std::abs(n_seen);
}

/// What is unpacked against what core's codec gives, bit for bit.
inline double n_wrong_values(const FollowedPages& pages) {
  const std::vector<float> got = pages.device().unpacked();
  double n = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const float want = pages.values()[i];
    n += std::isnan(want) ? !std::isnan(got[i]) : !same_bytes(got[i], want);
  }
  return n;
}

inline CaseRow write_case(const PagesShape& s, int n_steps, bool demote_from_exact = false,
                          double evicted = 0) {
  FollowedPages pages(s, 23);
  Numbers numbers(29);
  const std::int64_t per_token = s.layout().units_per_token();
  std::vector<std::uint8_t> plan;
  double n = 0;
  for (int step = 0; step < n_steps; ++step) {
    const std::int64_t n_tokens = s.max_tokens - (n_steps - 1 - step);
    const auto n_units = static_cast<std::size_t>(n_tokens * per_token);
    const auto next = random_widths(numbers, static_cast<std::int64_t>(n_units), 0, s.max_bits,
                                    step == 0 ? 0 : evicted);
    for (std::size_t u = 0; u < n_units; ++u) {
      if (u >= plan.size()) {
        plan.push_back(next[u]);
      } else if (numbers.uniform() < 0.5) {
        plan[u] = next[u];
      }
    }
    pages.follow(plan, n_tokens, demote_from_exact);
    n += n_wrong_codes(pages) + n_wrong_values(pages) + pages.n_wrong_kept();
  }
  n += pages.n_touched();
  return {"write_pages and unpack_pages", pages_text(s), n, 0,
          digest_of(pages.device().unpacked())};
}

/// Sixteen bits of what float32 says, rounded once.
inline CaseRow unpack_halves_case() {
  PagesShape s{.head_dim = 24, .max_tokens = 20, .dtype = DType::f16};
  s.spec.outliers_ratio = 0.1;
  FollowedPages pages(s, 31);
  Numbers numbers(37);
  pages.follow(random_widths(numbers, 20, 0, 16), 20);
  double n = 0;
  std::uint64_t digest = 0;
  for (const DType dtype : {DType::f16, DType::bf16}) {
    const std::vector<float> got = pages.device().unpacked(dtype);
    std::vector<std::uint16_t> halves(2 * got.size());
    std::memcpy(halves.data(), got.data(), halves.size() * 2);
    for (std::size_t i = 0; i < pages.values().size(); ++i) {
      const float x = pages.values()[i];
      n += halves[i] != (dtype == DType::f16 ? half_from_float(x) : bf16_from_float(x)) ? 1 : 0;
    }
    digest = digest_of(got, digest);
  }
  return {"unpack_pages to 16 bits", pages_text(s), n, 0, digest};
}

/// More outliers than there is room for are a problem that the list tells of.
inline CaseRow outliers_full_case() {
  PagesShape s{.head_dim = 16, .max_tokens = 20};
  s.spec.outliers_ratio = 0.2;
  FollowedPages pages(s, 41);
  cuda::PagedCache cache = pages.device().cache();
  cache.max_outliers = 50;
  const DeviceArray<std::uint8_t> bits(std::vector<std::uint8_t>(20, 2));
  const DeviceArray<UnitStats> stats(std::vector<UnitStats>(20, {.low = -1, .high = 1}));
  const DeviceArray<cuda::CacheLengths> lengths(std::vector<cuda::CacheLengths>{{20, 20}});
  require(cuda::assign_slots({cache, bits.data(), lengths.data(), pages.device().assign_space(), 1},
                             nullptr),
          "assign_slots");
  cuda::WritePagesCall call{.cache = cache, .quantizer = s.spec};
  call.stats = stats.data();
  call.lengths = lengths.data();
  call.fresh = call.exact = {pages.exact().data(), s.max_tokens, nullptr};
  call.workspace = pages.device().write_space();
  call.n_workers = 1;
  require(cuda::write_pages(call, nullptr), "write_pages");
  const cuda::ListState state = DevicePages::host(cache.states, 1)[0];
  const double n = (pages.device().problems() != cuda::kOutliersFull) + (state.n_outliers > 50);
  return {"write_pages, too many outliers", pages_text(s), n, 0,
          static_cast<std::uint64_t>(state.n_outliers)};
}

inline std::vector<CaseRow> check_write_pages(bool small) {
  require(cuda::write_pages({}, nullptr), "write_pages of no lists");
  require(cuda::unpack_pages({}, nullptr), "unpack_pages of no lists");
  std::vector<CaseRow> rows;
  // Every number of channels with another type, range rule and form of the numbers beside codes.
  int i = 0;
  for (const std::int64_t head_dim : {16, 24, 48, 64, 80, 96, 128, 256}) {
    PagesShape s{.side = i % 2 == 0 ? cuda::Side::key : cuda::Side::value, .head_dim = head_dim};
    s.max_tokens = head_dim > 100 ? 36 : 50;
    s.dtype = std::vector{DType::f32, DType::f16, DType::bf16}[static_cast<std::size_t>(i % 3)];
    s.spec.range_rule = static_cast<RangeRule>(i / 2 % 3);
    s.spec.symmetric = i % 4 >= 2;
    s.spec.store_scale = i % 5 < 2 ? StoreScale::f16 : StoreScale::f32;
    s.spec.outliers_ratio = i % 3 == 0 ? 0.0 : 0.05;
    rows.push_back(write_case(s, 3));
    ++i;
  }
  PagesShape s{.side = cuda::Side::value, .n_kv_heads = 3, .head_dim = 32, .max_tokens = 40};
  s.spec.outliers_ratio = 0.1;
  rows.push_back(write_case(s, 4, false, 0.2));
  rows.push_back(write_case(s, 3, true));
  s.n_layers = 2;
  for (const Level level : {Level::layer, Level::token}) {
    s.spec.level = level;
    s.spec.range_rule = RangeRule::midpoint;
    rows.push_back(write_case(s, 3));
  }
  s.n_parts = 4;  // of lists
  rows.push_back(write_case(s, 3));
  for (int rule = 0; rule < 6; ++rule) {
    PagesShape t{.head_dim = 16, .max_tokens = 36, .dtype = DType::f16};
    t.spec.range_rule = static_cast<RangeRule>(rule / 2);
    t.spec.symmetric = true;
    t.spec.store_scale = rule % 2 == 0 ? StoreScale::f32 : StoreScale::f16;
    rows.push_back(write_case(t, 2));
  }
  rows.push_back(unpack_halves_case());
  rows.push_back(outliers_full_case());
  if (!small) {
    PagesShape big{.n_layers = 2, .n_kv_heads = 2, .head_dim = 128, .max_tokens = 1030};
    big.spec.outliers_ratio = 0.01;
    big.dtype = DType::f16;
    big.n_workers = 3;
    rows.push_back(write_case(big, 3));
  }
  return rows;
}

}  // namespace qaq::cases
