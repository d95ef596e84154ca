#include "core/analysis/accuracy_experiments.h"

#include <array>
#include <cmath>

#include "core/analysis/accuracy_charts.h"
#include "core/analysis/experiment_settings.h"
#include "core/analysis/row_table.h"
#include "core/analysis/score_table.h"
#include "core/analysis/setting_runs.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr int kMostBits = 8;

std::string_view name_of(Level level) {
  return ChoiceNames<Level>::names[static_cast<std::size_t>(level)];
}

// One cache at a fixed number of bits, without outliers; the other exact.
NamedSetting one_cache(CacheSide side, int n_bits, Level level, RangeChoice rule) {
  const bool key = side == CacheSide::key;
  QaqParams params;
  QaqSideParams& quantized = key ? params.key : params.value;
  (key ? params.value : params.key).level = Level::no_quantization;
  quantized.level = level;
  quantized.range_rule = rule;
  quantized.use_attentions = false;
  quantized.n_bits_uniform = n_bits;
  quantized.outliers_ratio = 0;
  const char* rule_name = rule == RangeChoice::midpoint ? "midpoint" : "mean_centred";
  return {cat(key ? "key " : "value ", bits_text(n_bits), " ", name_of(level), " ", rule_name),
          params};
}

// The authors' budgets, between bits that lead to the compression of tables 2 and 3.
std::vector<QaqSetting> paired_settings() {
  std::vector<QaqSetting> out;
  for (const auto& [min, max] : {std::pair{0, 2}, std::pair{1, 4}}) {
    for (const double e : {1.0, 3.0, 10.0, 30.0})
      out.push_back({.e = e, .n_bits_min = min, .n_bits_max = max});
  }
  return out;
}

// The same setting twice, with one thing changed: what tables 2 and 3 hold against each other.
struct Change {
  std::string_view table;                   // "table2"
  std::array<std::string_view, 2> words;    // as the paper's numbers call the two
  void (*apply)(QaqSetting&, std::size_t);  // makes it the first or the second
};

ExperimentResult run_pairs(const ExperimentContext& context, const Change& change) {
  const std::vector<QaqSetting> settings = paired_settings();
  std::vector<NamedSetting> named;
  for (const QaqSetting& setting : settings) {
    for (std::size_t i = 0; i < 2; ++i) {
      QaqSetting changed = setting;
      change.apply(changed, i);
      named.push_back({cat(name_of(setting), " ", change.words[i]), qaq_params(changed)});
    }
  }
  const ScoreTable scores(run_settings(context, std::move(named)));

  std::vector<std::vector<Cell>> rows;
  std::int64_t n_better = 0;
  for (std::size_t i = 0; i < scores.size(); i += 2) {
    const double before = scores.accuracy(i).accuracy, after = scores.accuracy(i + 1).accuracy;
    const double packed = scores.summary(i).ratio_packed();
    if (scores.kl(i + 1) < scores.kl(i)) ++n_better;
    rows.push_back(
        {scores.name(i), scores.name(i + 1), real_cell(after - before),
         real_cell((after - before) / before), real_cell(scores.p(i, i + 1)),
         real_cell(scores.kl(i + 1) / scores.kl(i)),
         real_cell(scores.summary(i + 1).ratio_paper() / scores.summary(i).ratio_paper() - 1),
         real_cell(scores.summary(i + 1).ratio_packed() / packed - 1)});
  }
  const auto column = [](const char* name) {
    return Column{.name = name, .kind = ColumnKind::real, .unit = "1"};
  };
  Table pairs = table_of({{.name = "first", .kind = ColumnKind::text},
                          {.name = "second", .kind = ColumnKind::text},
                          column("accuracy_change"),
                          column("accuracy_change_relative"),
                          column("p_mcnemar"),
                          column("kl_factor"),
                          column("ratio_paper_change_relative"),
                          column("ratio_packed_change_relative")},
                         std::move(rows));

  // Of the paper's pairs we know the compression: ours is the pair that comes nearest to it.
  std::vector<Counterpart> counterparts;
  for (const PaperNumber& number : paper_numbers(change.table, context.task_name)) {
    const std::size_t which = number.what == change.words[0] ? 0 : 1;
    std::size_t nearest = which;
    for (std::size_t i = which; i < scores.size(); i += 2) {
      const auto distance = [&](std::size_t at) {
        return std::abs(std::log(scores.summary(at).ratio_paper() / number.ratio.value()));
      };
      if (distance(i) < distance(nearest)) nearest = i;
    }
    counterparts.push_back({number, nearest});
  }
  ExperimentResult out = scores.result();
  out.tables.push_back({"", "Settings", scores.table()});
  out.tables.push_back({"pairs", "The second of each pair against the first", std::move(pairs)});
  out.tables.push_back({"paper",
                        "The paper's numbers, beside our setting of the nearest "
                        "ratio_paper",
                        paper_table(scores, counterparts)});
  out.chart =
      pairs_chart(out.tables[0].table, out.tables[2].table, change.words, scores.whole().accuracy);
  out.settings.push_back("level head, uniform, bits by attention, q_norm 300, K and V alike");
  out.remarks.push_back(cat("KL is lower at \"", change.words[1], "\" than at \"", change.words[0],
                            "\"", " in ", n_better, " of ", scores.size() / 2,
                            " pairs. The two of a pair differ in bytes, too: see the changes of "
                            "the ratios beside those of accuracy."));
  return out;
}

}  // namespace

ExperimentResult run_fig2a(const ExperimentContext& context) {
  std::vector<NamedSetting> settings;
  for (const Level level : {Level::head, Level::layer, Level::token}) {
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      for (int n_bits = 1; n_bits <= kMostBits; ++n_bits) {
        settings.push_back(one_cache(side, n_bits, level, RangeChoice::mean_centred));
        if (level == Level::head) {
          settings.push_back(one_cache(side, n_bits, level, RangeChoice::midpoint));
        }
      }
    }
  }
  const ScoreTable scores(run_settings(context, std::move(settings)));
  const auto at = [&](CacheSide side, int n_bits, RangeChoice rule = RangeChoice::mean_centred) {
    return scores.index(one_cache(side, n_bits, Level::head, rule).name);
  };

  ExperimentResult out = scores.result();
  out.tables.push_back({"", "One cache quantized, the other exact", scores.table()});
  std::vector<Counterpart> counterparts;
  for (const PaperNumber& number : paper_numbers("fig2a", context.task_name)) {
    counterparts.push_back({number, scores.index(cat(number.what, " head mean_centred"))});
  }
  out.tables.push_back({"paper", "The paper's numbers (read off its figure), beside level head",
                        paper_table(scores, counterparts)});
  out.chart = fig2a_chart(out.tables[0].table, out.tables[1].table, scores.whole().accuracy);
  out.settings.push_back(
      "uniform, no outliers, no attention; the cache that is not named is exact");
  int n_key_worse = 0;
  for (int n_bits = 1; n_bits <= kMostBits; ++n_bits) {
    n_key_worse += scores.kl(at(CacheSide::key, n_bits)) > scores.kl(at(CacheSide::value, n_bits));
  }
  out.remarks.push_back(
      cat("At equal bits (level head, mean_centred) quantized keys cost more KL "
          "than quantized values at ",
          n_key_worse, " of ", kMostBits, " numbers of bits."));
  out.remarks.push_back(
      cat("The authors' quantizer (mean_centred) clips the longer side of a unit, however many "
          "bits it has: keys at 8 bits leave a KL of ",
          short_text(scores.kl(at(CacheSide::key, kMostBits))), " nat, with midpoint ",
          short_text(scores.kl(at(CacheSide::key, kMostBits, RangeChoice::midpoint))), "."));
  return out;
}

ExperimentResult run_table2(const ExperimentContext& context) {
  return run_pairs(
      context,
      {"table2", {"without outliers", "1 % outliers"}, [](QaqSetting& setting, std::size_t which) {
         setting.outliers_ratio = which == 0 ? 0 : 0.01;
       }});
}

ExperimentResult run_table3(const ExperimentContext& context) {
  return run_pairs(context,
                   {"table3", {"window 1", "window 5"}, [](QaqSetting& setting, std::size_t which) {
                      setting.window = which == 0 ? 1 : 5;
                    }});
}

}  // namespace qaq
