// qaq-scope as a command: figures and screenshots without a display, and what it refuses.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using test::ProgramResult;
using test::TemporaryFolder;

const std::string kCapture = test::test_data_path("badinputs/h5/ok_full_f32.h5");

ProgramResult run_scope(std::vector<std::string> words) {
  words.insert(words.begin(), QAQ_PROGRAM);
  // As on a machine with no display at all.
  return test::run_program(words, {.environment = {"DISPLAY=", "WAYLAND_DISPLAY="}});
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// Refused with `code` and one line that holds `words`; `folder` stays empty.
void expect_refused(const ProgramResult& result, int code, const std::vector<std::string>& words,
                    const TemporaryFolder& folder) {
  EXPECT_EQ(result.exit_code, code) << result.err;
  EXPECT_TRUE(result.err.starts_with("qaq-scope: ")) << result.err;
  EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
  for (const std::string& word : words) {
    EXPECT_NE(result.err.find(word), std::string::npos) << word << " in " << result.err;
  }
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(folder.names().empty());
}

class Figure : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Views, Figure,
                         testing::Values("bits", "outliers", "attention", "persistence", "errors",
                                         "distributions", "tradeoff", "tokens", "memory", "table"));

TEST_P(Figure, IsWrittenAsPictureAndAsPage) {
  const TemporaryFolder folder;
  const ProgramResult png = run_scope({"figure", GetParam(), kCapture, "-o", folder.file("f.png")});
  EXPECT_EQ(png.exit_code, 0) << png.err;
  EXPECT_EQ(png.err, "");
  EXPECT_TRUE(bytes_of(folder.file("f.png")).starts_with("\x89PNG"));
  const ProgramResult pdf = run_scope({"figure", GetParam(), kCapture, "-o", folder.file("f.pdf"),
                                       "--theme", "dark", "--size", "900x400"});
  EXPECT_EQ(pdf.exit_code, 0) << pdf.err;
  EXPECT_TRUE(bytes_of(folder.file("f.pdf")).starts_with("%PDF-"));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"f.pdf", "f.png"}));
}

TEST(Figures, FollowTheParameters) {
  const TemporaryFolder folder;
  const auto draw = [&](const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> words{"figure", "bits", kCapture, "-o", folder.file(name)};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(run_scope(words).exit_code, 0);
    return bytes_of(folder.file(name));
  };
  const std::string first = draw("a.png", {}), again = draw("b.png", {});
  EXPECT_EQ(first, again) << "the same command, the same bytes";
  EXPECT_NE(first, draw("c.png", {"--set", "use_attentions=false", "--set", "n_bits_uniform=6"}));
}

TEST(Figures, HaveTheReducerAndTheColoursThatAreAskedFor) {
  const TemporaryFolder folder;
  std::set<std::string> pictures;
  for (const std::vector<std::string>& flags : {std::vector<std::string>{},
                                                {"--reducer", "min"},
                                                {"--reducer", "mean"},
                                                {"--colors", "cividis"},
                                                {"--reducer", "max", "--colors", "viridis"}}) {
    const std::string out = folder.file("f.png");
    std::vector<std::string> words{"figure", "outliers", kCapture, "-o", out, "--size", "260x220"};
    words.insert(words.end(), flags.begin(), flags.end());
    ASSERT_EQ(run_scope(words).exit_code, 0);
    pictures.insert(bytes_of(out));
  }
  EXPECT_EQ(pictures.size(), 4u) << "the last is the first";
}

TEST(Figures, HaveTheSwitchesOfTheirViews) {
  const TemporaryFolder folder;
  const auto draw = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "figure");
    words.insert(words.end(), {"-o", folder.file("f.png")});
    const ProgramResult drawn = run_scope(words);
    EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
    return bytes_of(folder.file("f.png"));
  };
  const std::vector<std::string> jumps{"persistence", kCapture, "--set", "violation_window=1"};
  std::vector<std::string> whole = jumps;
  whole.emplace_back("--whole");
  EXPECT_NE(draw(jumps), draw(whole));
  const std::string value = draw({"errors", kCapture});
  EXPECT_EQ(value, draw({"errors", kCapture, "--error", "value"}));
  for (const char* error : {"key", "attention", "output"}) {
    EXPECT_NE(value, draw({"errors", kCapture, "--error", error})) << error;
  }
}

// Draws a view of the capture and gives the file's bytes.
std::string drawn(const TemporaryFolder& folder, const std::string& view,
                  const std::vector<std::string>& more) {
  std::vector<std::string> words{"figure", view, kCapture, "-o", folder.file("f.png")};
  words.insert(words.end(), more.begin(), more.end());
  const ProgramResult result = run_scope(words);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return bytes_of(folder.file("f.png"));
}

TEST(Figures, OfNumbersBytesRunsAndFormulasFollowTheirFlags) {
  const TemporaryFolder folder;
  EXPECT_NE(drawn(folder, "distributions", {}),
            drawn(folder, "distributions", {"--scope", "layer"}));
  EXPECT_NE(drawn(folder, "distributions", {}),
            drawn(folder, "distributions", {"--set", "outliers_ratio=0.3"}));
  EXPECT_NE(drawn(folder, "memory", {}), drawn(folder, "memory", {"--count", "nominal"}));
  EXPECT_EQ(drawn(folder, "memory", {}), drawn(folder, "memory", {"--count", "packed"}));
  EXPECT_NE(drawn(folder, "tradeoff", {}), drawn(folder, "tradeoff", {"--x", "ratio_nominal"}));
  EXPECT_EQ(drawn(folder, "tradeoff", {"--x", "ratio_packed"}),
            drawn(folder, "tradeoff", {"--y", "output_error"}));
  const std::string key = drawn(folder, "formula", {"--cell", "key,0,0,1"});
  EXPECT_NE(key, drawn(folder, "formula", {"--cell", "value,0,0,1"}));
  EXPECT_NE(key, drawn(folder, "formula", {"--cell", "key,0,0,1", "--preset", "bound"}));
}

TEST(Figures, OfRunsHaveThoseThatTheCaptureHolds) {
  const TemporaryFolder folder;
  const std::string copy = folder.file("c.h5");
  std::filesystem::copy_file(kCapture, copy);
  const auto draw = [&] {
    const ProgramResult result =
        run_scope({"figure", "tradeoff", copy, "-o", folder.file("f.png")});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return bytes_of(folder.file("f.png"));
  };
  const std::string alone = draw();
  const ProgramResult saved = test::run_program(
      {QAQ_CLI_PROGRAM, "replay", copy, "--set", "n_bits_max=3", "--save", "three"});
  ASSERT_EQ(saved.exit_code, 0) << saved.err;
  EXPECT_NE(draw(), alone);
}

TEST(Figures, OfTablesShowTheRowsOfTheViewThatIsNamed) {
  const TemporaryFolder folder;
  std::set<std::string> pictures;
  for (const std::string of : {"bits", "outliers", "attention", "tokens"}) {
    const auto drawn =
        run_scope({"figure", "table", kCapture, "--of", of, "-o", folder.file(of + ".png")});
    EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
    pictures.insert(bytes_of(folder.file(of + ".png")));
  }
  EXPECT_EQ(pictures.size(), 4u);
}

TEST(Figures, RefuseWrongFlagsAndValues) {
  const TemporaryFolder folder;
  const std::string out = folder.file("f.png");
  const auto refused = [&](std::vector<std::string> words,
                           const std::vector<std::string>& expected) {
    words.insert(words.begin(), "figure");
    words.insert(words.end(), {"-o", out});
    expect_refused(run_scope(words), 2, expected, folder);
  };
  refused({"bit", kCapture}, {"bits", "outliers", "attention"});
  refused({"bits", kCapture, "--set", "levle=head"}, {"levle", "level"});
  refused({"bits", kCapture, "--set", "n_bits_max=99"}, {"n_bits_max", "99", "16"});
  refused({"bits", kCapture, "--set", "n_bits_min=9"}, {"n_bits_min"});
  refused({"bits", kCapture, "--size", "12x12"}, {"--size", "12x12"});
  refused({"bits", kCapture, "--layer", "77"}, {"--layer", "77"});
  refused({"attention", kCapture, "--head", "77"}, {"--head", "77"});
  refused({"attention", kCapture, "--prefix", "99999"}, {"prefix"});
  refused({"formula", kCapture}, {"--cell", "value,14,1,56"});
  refused({"formula", kCapture, "--cell", "value,77,0,1"}, {"--cell", "layer 77"});
  refused({"formula", kCapture, "--cell", "value,0,77,1"}, {"--cell", "head 77"});
  refused({"formula", kCapture, "--cell", "value,0,0,9999"}, {"--cell", "token 9999"});
  refused({"memory", kCapture, "--cell", "value,0,0,1"}, {"--cell", "memory"});
  refused({"memory", kCapture, "--count", "bytes"}, {"--count", "packed"});
  refused({"bits", kCapture, "--scope", "layer"}, {"--scope", "bits"});
  refused({"tradeoff", kCapture, "--y", "accuracy"}, {"--y", "accuracy", "output_error"});
  refused({"tradeoff", kCapture, "--x", "average_size"}, {"--x", "ratio_nominal"});
  refused({"tradeoff", kCapture, kCapture}, {"too many"});
  refused({"bits"}, {"files"});
  refused({"bits", kCapture, "--cache", "key"}, {"--cache", "bits"});
  refused({"bits", kCapture, "--colors", "cividis"}, {"--colors", "bits"});
  refused({"bits", kCapture, "--reducer", "median"}, {"--reducer", "median", "mean"});
  refused({"attention", kCapture, "--whole"}, {"--whole", "attention"});
  refused({"bits", kCapture, "--error", "key"}, {"--error", "bits"});
  refused({"errors", kCapture, "--error", "keys"}, {"--error", "keys"});
  refused({"errors", kCapture, "--head", "0"}, {"--head", "errors"});
  refused({"bits", kCapture, kCapture}, {"too many"});
  refused({"bits", kCapture, "--of", "outliers"}, {"--of", "bits"});
  refused({"table", kCapture, "--of", "table"}, {"table", "bits, outliers"});
  const auto gif = run_scope({"figure", "bits", kCapture, "-o", folder.file("f.gif")});
  expect_refused(gif, 2, {"f.gif", ".png, .pdf or .svg"}, folder);
}

// What `qaq experiment` writes, with two rows.
constexpr const char* kExperiment = R"({
  "experiment": "fig9", "title": "A title", "model": "m", "items": "t", "counts": "questions",
  "n": 2, "n_available": 2,
  "tables": {"fig9": {"columns": [{"name": "bits"}, {"name": "kl"}], "rows": [[1, 0.5], [2, 0.25]]}},
  "chart": {"columns": 1, "notes": [], "panels": [{"title": "P", "lines": [],
    "x": {"label": "bits", "scale": "linear"}, "y": {"label": "kl", "scale": "log"},
    "series": [{"name": "s", "mark": "points", "style": 1, "table": "fig9", "x": "bits",
                "y": "kl"}]}]}})";

// Runs of a sweep, and one of the authors.
constexpr const char* kResults = R"([
  {"params": {"key_quantizer": {"use_attentions": true}}, "results": {},
   "qaq_scope": {"metrics": {"ratio_packed": 3, "kl_mean": 0.1, "accuracy": 0.5}}},
  {"params": {}, "results": {},
   "qaq_scope": {"metrics": {"ratio_packed": 2, "kl_mean": 0.2, "accuracy": 0.5}}}])";

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

TEST(Charts, OfExperimentsTradeoffsAndPromisesAreWrittenAsPictureAndAsPage) {
  const TemporaryFolder inputs, folder;
  write(inputs.file("fig9.json"), kExperiment);
  write(inputs.file("results.json"), kResults);
  const std::vector<std::vector<std::string>> commands{
      {"experiment", inputs.file("fig9.json")},
      {"tradeoff", inputs.file("results.json")},
      {"bound", kCapture, "--preset", "bound", "--prefix", "4"}};
  for (const auto& command : commands) {
    for (const std::string ending : {"png", "pdf"}) {
      std::vector<std::string> words = command;
      words.insert(words.begin(), "figure");
      const std::string path = folder.file(command[0] + "." + ending);
      words.insert(words.end(), {"-o", path, "--theme", "dark"});
      const auto drawn = run_scope(words);
      EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
      EXPECT_EQ(drawn.err, "");
      EXPECT_TRUE(bytes_of(path).starts_with(ending == "png" ? "\x89PNG" : "%PDF-")) << path;
      EXPECT_EQ(bytes_of(path).find(inputs.file("")), std::string::npos) << "no folder is told";
    }
  }
  EXPECT_EQ(folder.names().size(), 6u);
}

TEST(Charts, FollowTheirAxes) {
  const TemporaryFolder inputs, folder;
  write(inputs.file("results.json"), kResults);
  const auto draw = [&](const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> words{"figure", "tradeoff", inputs.file("results.json"), "-o",
                                   folder.file(name)};
    words.insert(words.end(), more.begin(), more.end());
    const auto drawn = run_scope(words);
    EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
    return bytes_of(folder.file(name));
  };
  EXPECT_EQ(draw("a.png", {}), draw("b.png", {"--x", "ratio_packed", "--y", "kl"}));
  EXPECT_NE(draw("a.png", {}), draw("c.png", {"--y", "accuracy"}));
}

TEST(Charts, RefuseBrokenFilesAndFlagsThatAreNotTheirs) {
  const TemporaryFolder inputs, folder;
  const std::string out = folder.file("f.png");
  write(inputs.file("fig9.json"), kExperiment);
  write(inputs.file("results.json"), kResults);
  write(inputs.file("torn.json"), std::string(kExperiment).substr(0, 200));
  const auto refused = [&](const std::vector<std::string>& command, int code,
                           const std::vector<std::string>& expected) {
    std::vector<std::string> words{"figure"};
    words.insert(words.end(), command.begin(), command.end());
    words.insert(words.end(), {"-o", out});
    expect_refused(run_scope(words), code, expected, folder);
  };
  refused({"experiment", inputs.file("torn.json")}, 3, {"torn.json", "byte", "not valid JSON"});
  refused({"experiment", inputs.file("results.json")}, 3, {"results.json", "/chart", "missing"});
  refused({"experiment", inputs.file("none.json")}, 3, {"none.json"});
  refused({"experiment", kCapture}, 3, {"not valid JSON"});
  refused({"tradeoff", inputs.file("fig9.json")}, 3, {"fig9.json", "no list of runs"});
  refused({"tradeoff", inputs.file("results.json"), "--y", "kale"}, 2, {"--y", "kale", "kl_mean"});
  refused({"tradeoff", inputs.file("results.json"), "--set", "n_bits_max=3"}, 2,
          {"--set", "results files"});
  refused({"tradeoff", inputs.file("results.json"), "--layer", "1"}, 2, {"--layer", "tradeoff"});
  refused({"experiment", inputs.file("fig9.json"), "--set", "n_bits_max=3"}, 2, {"--set"});
  refused({"experiment", inputs.file("fig9.json"), inputs.file("fig9.json")}, 2, {"too many"});
  refused({"bits", kCapture, "--x", "kl"}, 2, {"--x", "bits"});
  refused({"bound", kCapture, "--set", "use_attentions=false"}, 2, {"promises"});
  refused({"bound", kCapture, "--set", "n_bits_min=9"}, 2, {"n_bits_min"});
  const auto gif =
      run_scope({"figure", "experiment", inputs.file("fig9.json"), "-o", folder.file("f.gif")});
  expect_refused(gif, 2, {"f.gif", "no figure format", ".png, .pdf or .svg"}, folder);
}

TEST(Figures, RefuseBrokenCaptures) {
  const TemporaryFolder folder;
  for (const char* name : {"empty.h5", "key_nan.h5", "no_keys.h5", "not_hdf5.h5"}) {
    const auto result = run_scope({"figure", "bits", test::test_data_path("badinputs/h5/") + name,
                                   "-o", folder.file("f.png")});
    expect_refused(result, 3, {name}, folder);
  }
  expect_refused(run_scope({"figure", "bits", folder.file("none.h5"), "-o", folder.file("f.pdf")}),
                 3, {"none.h5"}, folder);
}

TEST(Figures, AFolderThatIsNotThereIsNoCrash) {
  const TemporaryFolder folder;
  const auto result = run_scope({"figure", "bits", kCapture, "-o", folder.file("none/f.png")});
  expect_refused(result, 1, {"none/f.png"}, folder);
}

TEST(Window, IsPicturedWithoutADisplay) {
  const TemporaryFolder folder;
  const auto result = run_scope(
      {kCapture, "--screenshot", folder.file("w.png"), "--size", "1280x800", "--theme", "dark"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_TRUE(bytes_of(folder.file("w.png")).starts_with("\x89PNG"));
}

TEST(Window, RefusesBeforeItOpens) {
  const TemporaryFolder folder;
  const std::string out = folder.file("w.png");
  expect_refused(run_scope({kCapture, "--screenshot", out, "--cell", "value,1"}), 2, {"--cell"},
                 folder);
  expect_refused(run_scope({kCapture, "--screenshot", out, "--set", "level=heads"}), 2,
                 {"heads", "head"}, folder);
  expect_refused(run_scope({folder.file("none.h5"), "--screenshot", out}), 3, {"none.h5"}, folder);
  expect_refused(run_scope({kCapture, "--screenshot", folder.file("w.jpg")}), 2, {"w.jpg"}, folder);
}

TEST(WindowCommands, RunBeforeThePicture) {
  const TemporaryFolder folder;
  const auto draw = [&](const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> words{kCapture, "--screenshot", folder.file(name), "--size",
                                   "1280x800"};
    words.insert(words.end(), more.begin(), more.end());
    const auto drawn = run_scope(words);
    EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
    return bytes_of(folder.file(name));
  };
  const std::string plain = draw("a.png", {});
  EXPECT_NE(plain, draw("b.png", {"--do", "use_attentions=false", "--do", "uniform bits = 6"}));
  // In their order: what was undone is shown again, the button aside.
  EXPECT_EQ(draw("c.png", {"--do", "n_bits_max = 4", "--do", "n_bits_max = 3", "--do", "undo"}),
            draw("e.png", {"--do", "n_bits_max = 4", "--do", "n_bits_max = 2", "--do", "undo"}));
  EXPECT_NE(draw("d.png", {"--do", "keys"}), plain) << "what opens over the window is seen";
}

TEST(WindowCommands, AWrongOneIsOneLineThatNamesIt) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& command, const std::vector<std::string>& expected) {
    expect_refused(run_scope({kCapture, "--screenshot", folder.file("w.png"), "--do", command}), 2,
                   expected, folder);
  };
  refused("layr 1", {"--do 'layr 1'", "did you mean layer?"});
  refused("layer 77", {"go.layer", "77"});
  refused("undo", {"edit.undo", "nothing to undo"});
  refused("window = 0", {"last_n_attentions", "out of range"});
  refused("n_bits_min = 9", {"n_bits_min"});
  expect_refused(run_scope({"--screenshot", folder.file("w.png"), "--do", "layer 1"}), 2,
                 {"no capture is open"}, folder);
}

TEST(WindowCommands, AreListed) {
  const auto text = run_scope({"--list-commands"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("go.layer LAYER"), std::string::npos);
  EXPECT_NE(text.out.find("Ctrl+K, Ctrl+Shift+P"), std::string::npos);
  const auto json = nlohmann::json::parse(run_scope({"--list-commands", "--json"}).out);
  EXPECT_EQ(json["schema_version"], 1);
  const auto& all = json["commands"];
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.out.begin(), text.out.end(), '\n')),
            all.size());
  const auto layer =
      std::find_if(all.begin(), all.end(), [](const auto& one) { return one["id"] == "go.layer"; });
  ASSERT_NE(layer, all.end());
  EXPECT_EQ((*layer)["word"], "layer");
  EXPECT_EQ((*layer)["arguments"][0]["kind"], "choice");
  EXPECT_FALSE((*layer)["help"].get<std::string>().empty());
  EXPECT_EQ(run_scope({"--json"}).exit_code, 2) << "belongs to --list-commands";
}

TEST(WindowCommands, MayCloseTheWindow) {
  const auto closed = test::run_program({QAQ_PROGRAM, kCapture, "--do", "quit"},
                                        {.environment = {"QT_QPA_PLATFORM=offscreen"}});
  EXPECT_EQ(closed.exit_code, 0) << closed.err;
}

TEST(Program, HelpAndVersion) {
  const auto help = run_scope({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.out.find("figure"), std::string::npos);
  EXPECT_NE(run_scope({"figure", "--help"}).out.find("--query-head"), std::string::npos);
  EXPECT_TRUE(run_scope({"--version"}).out.starts_with("qaq-scope 0."));
}

}  // namespace
}  // namespace qaq
