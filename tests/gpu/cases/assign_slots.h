#pragma once

#include <set>

#include "tests/gpu/cases/pages.h"

namespace qaq::cases {

/// One list as the rule in assign_slots.h says, width by width.
class ListedPages {
 public:
  struct Width {
    std::vector<int> tokens;
    std::vector<int> places;
    std::set<int> filled;  ///< slots that got a token last
  };

  void follow(const std::vector<std::uint8_t>& wanted) {
    std::vector<Width> after(cuda::kWidths);
    for (int b = 0; b < cuda::kWidths; ++b) {
      const std::vector<int>& before = widths_[static_cast<std::size_t>(b)].tokens;
      std::vector<int> arriving;
      std::size_t n = 0;
      for (int t = 0; t < static_cast<int>(wanted.size()); ++t) {
        if (wanted[static_cast<std::size_t>(t)] != b) continue;
        ++n;
        if (std::count(before.begin(), before.end(), t) == 0) arriving.push_back(t);
      }
      Width& width = after[static_cast<std::size_t>(b)];
      width.tokens.assign(n, -1);
      std::vector<int> fillers = arriving;
      for (std::size_t at = 0; at < before.size(); ++at) {
        if (wanted[static_cast<std::size_t>(before[at])] != b) continue;
        if (at < n) {
          width.tokens[at] = before[at];
        } else {
          fillers.push_back(before[at]);
        }
      }
      std::size_t next = 0;
      for (std::size_t at = 0; at < n; ++at) {
        if (width.tokens[at] >= 0) continue;
        width.tokens[at] = fillers[next++];
        width.filled.insert(static_cast<int>(at));
      }
    }
    give_places(after);
    widths_ = std::move(after);
  }

  const std::vector<Width>& widths() const { return widths_; }

 private:
  static std::size_t n_pages(const Width& width) { return (width.tokens.size() + 15) / 16; }

  void give_places(std::vector<Width>& after) const {
    std::set<int> used;
    for (std::size_t b = 0; b < after.size(); ++b) {
      std::vector<int>& places = after[b].places;
      places = widths_[b].places;
      if (places.size() > n_pages(after[b])) places.resize(n_pages(after[b]));
      used.insert(places.begin(), places.end());
    }
    int next = 0;
    for (Width& width : after) {
      while (width.places.size() < n_pages(width)) {
        while (used.count(next) > 0) ++next;
        width.places.push_back(next++);
      }
    }
  }

  std::vector<Width> widths_ = std::vector<Width>(cuda::kWidths);
};

/// Numbers of a list's tables that are not as they should be.
inline double n_wrong(const DevicePages& device, std::int64_t list, const ListedPages& want) {
  const cuda::PagedCache& cache = device.cache();
  const auto state = DevicePages::host(cache.states + list, 1)[0];
  const auto pages = DevicePages::host(cache.pages + cache.place(list, 0), cache.max_pages);
  const auto changed = DevicePages::host(cache.changed + cache.place(list, 0), cache.max_pages);
  const auto tokens = DevicePages::host(cache.tokens + cache.place(list, 0) * cuda::kPageTokens,
                                        cache.max_pages * cuda::kPageTokens);
  double n = device.problems() != 0 ? 1 : 0;
  std::size_t k = 0;
  for (int b = 0; b < cuda::kWidths; ++b) {
    const ListedPages::Width& width = want.widths()[static_cast<std::size_t>(b)];
    n += state.n_tokens_of[b] != static_cast<std::int32_t>(width.tokens.size()) ? 1 : 0;
    for (std::size_t page = 0; page < width.places.size(); ++page, ++k) {
      if (k >= pages.size()) return n + 1;
      n += pages[k].bits != b || pages[k].place != width.places[page] ? 1 : 0;
      std::uint32_t filled = 0;
      for (std::size_t i = 0; i < 16; ++i) {
        const std::size_t at = 16 * page + i;
        const int token = at < width.tokens.size() ? width.tokens[at] : -1;
        n += tokens[static_cast<std::size_t>(width.places[page]) * 16 + i] != token ? 1 : 0;
        filled |= width.filled.count(static_cast<int>(at)) > 0 ? 1u << i : 0u;
      }
      n += changed[k] != filled ? 1 : 0;
    }
  }
  return n + (state.n_pages != static_cast<std::int32_t>(k) ? 1 : 0);
}

/// What write_pages() does for tables: the plan is held now.
inline void hold(const DevicePages& device, std::int64_t list, const ListedPages& tables) {
  const cuda::PagedCache& cache = device.cache();
  std::vector<std::uint8_t> held(static_cast<std::size_t>(cache.max_tokens), cuda::kInNoPage);
  std::vector<std::int32_t> slots(held.size(), -1);
  for (std::size_t b = 0; b < cuda::kWidths; ++b) {
    const ListedPages::Width& width = tables.widths()[b];
    for (std::size_t at = 0; at < width.tokens.size(); ++at) {
      const auto token = static_cast<std::size_t>(width.tokens[at]);
      held[token] = static_cast<std::uint8_t>(b);
      slots[token] = width.places[at / 16] * 16 + static_cast<int>(at % 16);
    }
  }
  const auto put = [](void* to, const void* from, std::size_t n) {
    require(cudaMemcpyAsync(to, from, n, cudaMemcpyHostToDevice, nullptr), "copy to the device");
    wait("copy to the device");
  };
  put(cache.held + cache.token(list, 0), held.data(), held.size());
  put(cache.slots + cache.token(list, 0), slots.data(), slots.size() * 4);
  const std::vector<std::uint32_t> none(static_cast<std::size_t>(cache.max_pages));
  put(cache.changed + cache.place(list, 0), none.data(), none.size() * 4);
}

struct AssignProblem {
  std::int64_t max_tokens = 0;
  std::int64_t n_layers = 1;
  std::int64_t n_kv_heads = 1;
  Level level = Level::head;
  int least = 0;
  int most = 4;
  int n_steps = 4;
  double changing = 0.2;  ///< share of units that a step gives another width
  double evicted = 0;
  std::int64_t n_parts = 1;  ///< launches for the lists
};

inline CaseRow assign_case(const AssignProblem& p) {
  PagesShape s{.n_layers = p.n_layers, .n_kv_heads = p.n_kv_heads, .head_dim = 16};
  s.max_tokens = p.max_tokens;
  s.max_bits = p.most;
  s.spec.level = p.level;
  const DevicePages device(s);
  const UnitLayout layout = s.layout();
  const std::int64_t per_token = layout.units_per_token();
  std::vector<ListedPages> lists(static_cast<std::size_t>(s.n_lists()));
  std::vector<std::uint8_t> plan;
  Numbers numbers(17);
  double n = 0;
  std::uint64_t digest = 0;
  for (int step = 0; step < p.n_steps; ++step) {
    const std::int64_t n_tokens = p.max_tokens - (p.n_steps - 1 - step);
    const auto n_units = static_cast<std::size_t>(n_tokens * per_token);
    const std::vector<std::uint8_t> next =
        random_widths(numbers, static_cast<std::int64_t>(n_units), p.least, p.most, p.evicted);
    for (std::size_t u = 0; u < n_units; ++u) {
      if (u >= plan.size()) {
        plan.push_back(next[u]);
      } else if (numbers.uniform() < p.changing) {
        plan[u] = next[u];
      }
    }
    const DeviceArray<std::uint8_t> bits(plan);
    const DeviceArray<cuda::CacheLengths> lengths(
        std::vector<cuda::CacheLengths>{{0, static_cast<std::int32_t>(n_tokens)}});
    for (std::int64_t part = 0; part < p.n_parts; ++part) {
      const Part of = part_of(s.n_lists(), part, p.n_parts);
      require(cuda::assign_slots(
                  {device.cache(), bits.data(), lengths.data(), device.assign_space(), s.n_workers,
                   static_cast<std::int32_t>(of.first), static_cast<std::int32_t>(of.n)},
                  nullptr),
              "assign_slots");
    }
    for (std::int64_t list = 0; list < s.n_lists(); ++list) {
      std::vector<std::uint8_t> wanted;
      for (std::int64_t t = 0; t < n_tokens; ++t) {
        const std::int64_t u = layout.unit(list / s.n_kv_heads, list % s.n_kv_heads, t);
        wanted.push_back(plan[static_cast<std::size_t>(u)]);
      }
      ListedPages& want = lists[static_cast<std::size_t>(list)];
      want.follow(wanted);
      n += n_wrong(device, list, want);
      hold(device, list, want);
    }
    digest =
        digest_of(DevicePages::host(device.cache().tokens, 16 * device.cache().max_pages), digest);
  }
  return {"assign_slots",
          shape_text({{"T", p.max_tokens},
                      {"lists", s.n_lists()},
                      {"parts", p.n_parts},
                      {"steps", p.n_steps}}),
          n, 0, digest};
}

/// A list that cannot follow says so, and keeps what it has.
inline CaseRow assign_problem_case() {
  PagesShape s{.head_dim = 16, .max_tokens = 40};
  s.max_bits = 4;
  const DevicePages device(s);
  const auto run = [&](std::vector<std::uint8_t> plan) {
    const DeviceArray<std::uint8_t> bits(plan);
    const DeviceArray<cuda::CacheLengths> lengths(
        std::vector<cuda::CacheLengths>{{0, static_cast<std::int32_t>(plan.size())}});
    require(cuda::assign_slots(
                {device.cache(), bits.data(), lengths.data(), device.assign_space(), s.n_workers},
                nullptr),
            "assign_slots");
    return DevicePages::host(device.cache().states, 1)[0];
  };
  std::vector<std::uint8_t> plan(40, 3);
  run(plan);
  double n = device.problems() != 0 ? 1 : 0;
  plan[7] = 5;
  const cuda::ListState state = run(plan);
  n += device.problems() != cuda::kBitsNotPlanned ? 1 : 0;
  n += state.n_tokens_of[3] != 40 || state.n_pages != 3 ? 1 : 0;
  return {"assign_slots, too many bits", shape_text({{"T", 40}}), n, 0, 0};
}

inline std::vector<CaseRow> check_assign_slots(bool small) {
  require(cuda::assign_slots({}, nullptr), "assign_slots of no lists");
  std::vector<CaseRow> rows;
  rows.push_back(assign_case({.max_tokens = 1, .n_steps = 1}));
  rows.push_back(assign_case({.max_tokens = 16, .least = 3, .most = 3}));
  rows.push_back(assign_case({.max_tokens = 33, .n_kv_heads = 3, .n_steps = 6, .changing = 0.1}));
  rows.push_back(assign_case({.max_tokens = 300, .n_steps = 5, .changing = 0.05}));
  rows.push_back(assign_case({.max_tokens = 270, .most = 16, .n_steps = 3, .changing = 1}));
  rows.push_back(assign_case(
      {.max_tokens = 70, .n_layers = 2, .n_kv_heads = 2, .n_steps = 6, .evicted = 0.3}));
  rows.push_back(
      assign_case({.max_tokens = 40, .n_layers = 2, .n_kv_heads = 2, .level = Level::layer}));
  rows.push_back(
      assign_case({.max_tokens = 40, .n_layers = 2, .n_kv_heads = 2, .level = Level::token}));
  rows.push_back(assign_case({.max_tokens = 40, .n_layers = 4, .n_kv_heads = 2, .n_parts = 3}));
  rows.push_back(assign_problem_case());
  const DevicePages pages({.head_dim = 16, .max_tokens = 20});
  cuda::AssignSlotsCall beyond{.cache = pages.cache()};
  beyond.n_workers = 1;
  beyond.n_lists = 2;
  rows.push_back({"assign_slots, lists that are not there", "",
                  cuda::assign_slots(beyond, nullptr) == cudaErrorInvalidValue ? 0.0 : 1.0, 0, 0});
  if (!small) {
    rows.push_back(
        assign_case({.max_tokens = 4099, .n_layers = 2, .n_kv_heads = 4, .most = 8, .n_steps = 4}));
    rows.push_back(assign_case({.max_tokens = 70001, .most = 16, .n_steps = 2, .changing = 0.01}));
  }
  return rows;
}

}  // namespace qaq::cases
