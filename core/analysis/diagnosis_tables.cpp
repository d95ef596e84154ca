#include "core/analysis/diagnosis_tables.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "core/analysis/row_table.h"

namespace qaq {
namespace {

template <class Enum>
Column choice_column(const std::string& name) {
  const auto& names = ChoiceNames<Enum>::names;
  return {.name = name,
          .kind = ColumnKind::choice,
          .choices = std::vector<std::string>(names.begin(), names.end())};
}

// Texts of a table hold no commas.
std::string plain(std::string text) {
  std::ranges::replace(text, ',', ';');
  return text;
}

}  // namespace

Table step_table(const Diagnosis& diagnosis) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < diagnosis.steps.size(); ++i) {
    const DiagnosedStep& step = diagnosis.steps[i];
    const MixedScore& score = step.score;
    rows.push_back({static_cast<std::int64_t>(i), step.position, std::int64_t{step.token},
                    std::int64_t{score.expected}, std::int64_t{score.got},
                    real_cell(score.score.kl), real_cell(score.score.margin), score.rank,
                    real_cell(score.p_before), real_cell(score.p_after),
                    static_cast<std::int64_t>(step.verdict)});
  }
  return table_of({{"row"},
                   {"position"},
                   {"read_id"},
                   {"expected_id"},
                   {"got_id"},
                   {"kl", ColumnKind::real, "nat"},
                   {"margin", ColumnKind::real, "1"},
                   {"rank"},
                   {"p_before", ColumnKind::real, "1"},
                   {"p_after", ColumnKind::real, "1"},
                   choice_column<StepVerdict>("verdict")},
                  std::move(rows));
}

Table replay_table(const Diagnosis& diagnosis) {
  std::vector<std::vector<Cell>> rows;
  for (const DiagnosisReplay& replay : diagnosis.replays) {
    rows.push_back({replay.stage, plain(replay.label), replay.n_other, real_cell(replay.kl),
                    std::int64_t{replay.got}, replay.rank, std::int64_t{replay.repaired}});
  }
  return table_of({{"stage", ColumnKind::text},
                   {"replay", ColumnKind::text},
                   {"other_cells"},
                   {"kl", ColumnKind::real, "nat"},
                   {"got_id"},
                   {"rank"},
                   {"repaired"}},
                  std::move(rows));
}

Table head_table(const std::array<NdArray<float, 2>, 2>& numbers, const Column& name) {
  std::vector<std::vector<Cell>> rows;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const auto& of = numbers[static_cast<std::size_t>(side)];
    for (std::int64_t layer = 0; layer < of.shape(0); ++layer) {
      for (std::int64_t head = 0; head < of.shape(1); ++head) {
        rows.push_back({static_cast<std::int64_t>(side), layer, head, real_cell(of(layer, head))});
      }
    }
  }
  return table_of({{.name = "cache", .kind = ColumnKind::choice, .choices = {"key", "value"}},
                   {"layer"},
                   {"kv_head"},
                   name},
                  std::move(rows));
}

std::vector<std::size_t> telling_replays(const Diagnosis& diagnosis) {
  std::vector<std::size_t> out;
  const auto& replays = diagnosis.replays;
  for (std::size_t i = 0; i < replays.size(); ++i) {
    const std::string_view stage = replays[i].stage;
    if (stage == "side" || stage == "alone" || stage == "token") out.push_back(i);
  }
  for (const std::string_view stage : {"layers", "heads", "cells"}) {
    std::optional<std::size_t> fewest, most;
    for (std::size_t i = 0; i < replays.size(); ++i) {
      const DiagnosisReplay& each = replays[i];
      if (each.stage != stage) continue;
      if (each.repaired && (!fewest || each.n_other < replays[*fewest].n_other)) fewest = i;
      if (!each.repaired && (!most || each.n_other > replays[*most].n_other)) most = i;
    }
    for (const auto& found : {most, fewest}) {
      if (found) out.push_back(*found);
    }
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace qaq
