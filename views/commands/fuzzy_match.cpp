#include "views/commands/fuzzy_match.h"

#include <QStringList>
#include <algorithm>
#include <vector>

namespace qaq::views {
namespace {

constexpr int kLetter = 1, kInARow = 9, kWordStart = 8, kWholeWord = 6;
constexpr int kLeastPerLetter = 7;  // below, letters are strewn about
constexpr int kImpossible = -1;

bool startsWord(const QString& text, qsizetype at) {
  return at == 0 || !text[at - 1].isLetterOrNumber();
}

bool holdsWord(const QString& text, const QString& word) {
  for (qsizetype at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const qsizetype end = at + word.size();
    if (startsWord(text, at) && (end == text.size() || !text[end].isLetterOrNumber())) return true;
  }
  return false;
}

/// The best way to find `word` in `text`; letter by letter, best[j]: the last one stands at j.
std::optional<int> wordScore(const QString& word, const QString& text) {
  const auto n = static_cast<std::size_t>(text.size());
  std::vector<int> best(n, kImpossible);
  for (qsizetype i = 0; i < word.size(); ++i) {
    std::vector<int> next(n, kImpossible);
    int before = i == 0 ? 0 : kImpossible;  // the best that ends anywhere before j
    for (std::size_t j = 0; j < n; ++j) {
      const auto at = static_cast<qsizetype>(j);
      if (text[at] == word[i]) {
        const int alone = before + kLetter + (startsWord(text, at) ? kWordStart : 0);
        if (before != kImpossible) next[j] = alone;
        const int previous = j > 0 && i > 0 ? best[j - 1] : kImpossible;
        if (previous != kImpossible) next[j] = std::max(next[j], previous + kLetter + kInARow);
      }
      if (i > 0) before = std::max(before, best[j]);
    }
    best = std::move(next);
  }
  const int score = n == 0 ? kImpossible : *std::max_element(best.begin(), best.end());
  if (score < kLeastPerLetter * word.size()) return std::nullopt;
  return score;
}

}  // namespace

std::optional<int> fuzzyScore(const QString& query, const QString& text) {
  const QString where = text.toLower();
  int score = 0;
  for (const QString& word : query.toLower().split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
    const auto found = wordScore(word, where);
    if (!found) return std::nullopt;
    score += *found + (holdsWord(where, word) ? kWholeWord : 0);
  }
  return score;
}

}  // namespace qaq::views
