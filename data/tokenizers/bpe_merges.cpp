#include "data/tokenizers/bpe_merges.h"

#include <queue>
#include <tuple>

namespace qaq {
namespace {

std::uint64_t key_of(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

constexpr std::int32_t kNone = -1;

// A symbol in a list that merging shortens; `id` is kGone once it is part of its left neighbour.
struct Node {
  std::int32_t id;
  std::int32_t previous;
  std::int32_t next;
};
constexpr std::int32_t kGone = -2;

// A merge that was possible when it was found. It is stale when either symbol has changed since.
struct Candidate {
  std::int32_t rank;
  std::int32_t left;  ///< position
  std::int32_t left_id;
  std::int32_t right_id;
  std::int32_t merged;

  bool operator>(const Candidate& other) const {
    return std::tie(rank, left) > std::tie(other.rank, other.left);
  }
};

}  // namespace

void BpeMerges::add(std::int32_t left, std::int32_t right, std::int32_t merged) {
  rules_.emplace(key_of(left, right), Rule{static_cast<std::int32_t>(rules_.size()), merged});
}

const BpeMerges::Rule* BpeMerges::find(std::int32_t left, std::int32_t right) const {
  if (left < 0 || right < 0) return nullptr;
  const auto at = rules_.find(key_of(left, right));
  return at == rules_.end() ? nullptr : &at->second;
}

std::vector<std::int32_t> BpeMerges::apply(const std::vector<std::int32_t>& symbols) const {
  const auto n = static_cast<std::int32_t>(symbols.size());
  std::vector<Node> nodes;
  nodes.reserve(symbols.size());
  for (std::int32_t i = 0; i < n; ++i) {
    nodes.push_back({symbols[static_cast<std::size_t>(i)], i - 1, i + 1 < n ? i + 1 : kNone});
  }
  const auto node = [&](std::int32_t i) -> Node& { return nodes[static_cast<std::size_t>(i)]; };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto consider = [&](std::int32_t left) {
    if (left == kNone || node(left).next == kNone) return;
    const std::int32_t left_id = node(left).id, right_id = node(node(left).next).id;
    if (const Rule* rule = find(left_id, right_id)) {
      queue.push({rule->rank, left, left_id, right_id, rule->merged});
    }
  };
  for (std::int32_t i = 0; i + 1 < n; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Node& left = node(best.left);
    if (left.id != best.left_id || left.next == kNone || node(left.next).id != best.right_id)
      continue;
    Node& right = node(left.next);
    left.id = best.merged;
    left.next = right.next;
    right.id = kGone;
    if (left.next != kNone) node(left.next).previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
  std::vector<std::int32_t> out;
  for (std::int32_t i = n > 0 ? 0 : kNone; i != kNone; i = node(i).next) out.push_back(node(i).id);
  return out;
}

}  // namespace qaq
