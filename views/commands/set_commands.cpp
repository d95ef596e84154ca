#include "views/commands/set_commands.h"

#include "views/commands/command_registry.h"
#include "views/commands/selection_commands.h"
#include "views/models/slice_book.h"

namespace qaq::views {
namespace {

// Names of modes as commands take them, in their order.
const QStringList& modeNames() {
  static const QStringList kNames{QStringLiteral("new"), QStringLiteral("replace"),
                                  QStringLiteral("add"), QStringLiteral("intersect"),
                                  QStringLiteral("remove")};
  return kNames;
}

QStringList sliceNames(const SliceBook& slices) {
  QStringList names;
  for (const NamedSlice& slice : slices.slices())
    names.push_back(QString::fromStdString(slice.name));
  return names;
}

class SetCommands {
 public:
  SetCommands(CommandRegistry& registry, Workspace& workspace, SliceBook& slices)
      : m_registry(registry), m_workspace(workspace), m_slices(slices) {}

  void add() {
    addModes();
    addFilters();
    addSlices();
    addPin();
  }

 private:
  SelectionModel& selection() const { return m_workspace.selection(); }
  void add(Command command) {
    command.menu = QStringLiteral("select");
    if (!command.blocked) command.blocked = [this_ = *this] { return this_.needs(); };
    m_registry.add(std::move(command));
  }
  QString needs() const { return needsCapture(m_workspace); }
  QString needsSelected() const {
    const QString why = needs();
    if (!why.isEmpty() || !selection().selected().empty()) return why;
    return SliceBook::tr("nothing is selected; click or draw a box in a view");
  }

  void addModes();
  void addFilters();
  void addSlices();
  void addPin();

  CommandRegistry& m_registry;
  Workspace& m_workspace;
  SliceBook& m_slices;
};

void SetCommands::addModes() {
  const SetCommands self = *this;
  add({.id = "select.mode",
       .word = "select-mode",
       .text = SliceBook::tr("What a gesture does…"),
       .help =
           SliceBook::tr("Whether clicks and boxes begin a new slice, replace the selected set, "
                         "add to it, keep what is in both, or take out"),
       .keywords = SliceBook::tr("selection new add intersect remove"),
       .section = "modes",
       .arguments = {{.name = "mode",
                      .help = SliceBook::tr("new, replace, add, intersect or remove"),
                      .kind = CommandArgument::Kind::choice,
                      .choices = modeNames}},
       .run = [self](const CommandArguments& arguments) {
         const auto mode = modeNames().indexOf(arguments["mode"].toString());
         self.selection().setMode(static_cast<SelectMode>(mode));
       }});
  add({.id = "select.box",
       .word = "box",
       .text = SliceBook::tr("Draw boxes"),
       .help = SliceBook::tr("Dragging in a map selects a box instead of moving the map"),
       .keywords = SliceBook::tr("rubber band rectangle tool"),
       .shortcuts = {QKeySequence(QStringLiteral("S"))},
       .section = "modes",
       .checked = [self] { return self.selection().isBoxTool(); },
       .run =
           [self](const CommandArguments&) {
             self.selection().setBoxTool(!self.selection().isBoxTool());
           }});
  add({.id = "select.clear",
       .word = "select-clear",
       .text = SliceBook::tr("Select nothing"),
       .help = SliceBook::tr("Clears the selected set"),
       .keywords = SliceBook::tr("deselect none"),
       .section = "modes",
       .blocked = [self] { return self.needsSelected(); },
       .run = [self](const CommandArguments&) { self.selection().clearSelection(); }});
}

void SetCommands::addFilters() {
  const SetCommands self = *this;
  const auto filtered = [self] {
    const QString why = self.needs();
    if (!why.isEmpty() || self.selection().filter()) return why;
    return SliceBook::tr("nothing is filtered");
  };
  add({.id = "select.filter",
       .word = "filter",
       .text = SliceBook::tr("Show only the selected"),
       .help = SliceBook::tr("Limits texts and tables to the selected set; maps veil the rest"),
       .keywords = SliceBook::tr("filter limit"),
       .section = "filters",
       .blocked = [self] { return self.needsSelected(); },
       .run = [self](const CommandArguments&) { self.selection().pushFilter(); }});
  add({.id = "select.filter.back",
       .word = "filter-back",
       .text = SliceBook::tr("Take the last limit away"),
       .help = SliceBook::tr("Shows what the filter before showed"),
       .keywords = SliceBook::tr("filter pop"),
       .section = "filters",
       .blocked = filtered,
       .run = [self](const CommandArguments&) { self.selection().popFilter(); }});
  add({.id = "select.filter.clear",
       .word = "filter-clear",
       .text = SliceBook::tr("Show everything"),
       .help = SliceBook::tr("Takes all limits away"),
       .keywords = SliceBook::tr("filter all"),
       .section = "filters",
       .blocked = filtered,
       .run = [self](const CommandArguments&) { self.selection().clearFilters(); }});
}

void SetCommands::addSlices() {
  const SetCommands self = *this;
  add({.id = "select.slice",
       .word = "slice",
       .text = SliceBook::tr("Select slice…"),
       .help = SliceBook::tr("Selects a named set: sinks, violations, your own"),
       .keywords = SliceBook::tr("named set"),
       .section = "slices",
       .arguments = {{.name = "slice",
                      .help = SliceBook::tr("A slice by its name"),
                      .kind = CommandArgument::Kind::choice,
                      .choices = [self] { return sliceNames(self.m_slices); }}},
       .run = [self](const CommandArguments& arguments) {
         const auto index = sliceNames(self.m_slices).indexOf(arguments["slice"].toString());
         self.m_slices.choose(static_cast<int>(index));
       }});
  add({.id = "select.keep",
       .word = "keep",
       .text = SliceBook::tr("Keep as slice…"),
       .help = SliceBook::tr("Keeps the selected set under a name"),
       .keywords = SliceBook::tr("named set save"),
       .section = "slices",
       .arguments = {{.name = "name", .help = SliceBook::tr("Name of the slice")}},
       .blocked = [self] { return self.needsSelected(); },
       .run =
           [self](const CommandArguments& arguments) {
             self.m_slices.keepSelected(arguments["name"].toString());
           }});
}

void SetCommands::addPin() {
  const SetCommands self = *this;
  add({.id = "select.pin",
       .word = "pin",
       .text = SliceBook::tr("Pin the locked cell"),
       .help = SliceBook::tr("Keeps the locked cell as a reference beside the next one"),
       .keywords = SliceBook::tr("reference compare"),
       .shortcuts = {QKeySequence(QStringLiteral("P"))},
       .section = "pin",
       .blocked =
           [self] {
             const QString why = self.needs();
             if (!why.isEmpty() || self.selection().locked()) return why;
             return SliceBook::tr("no cell is locked; click one");
           },
       .run = [self](const CommandArguments&) { self.selection().pin(); }});
  add({.id = "select.unpin",
       .word = "unpin",
       .text = SliceBook::tr("Unpin"),
       .help = SliceBook::tr("Forgets the pinned cell"),
       .keywords = SliceBook::tr("reference"),
       .section = "pin",
       .blocked =
           [self] {
             const QString why = self.needs();
             if (!why.isEmpty() || self.selection().pinned()) return why;
             return SliceBook::tr("no cell is pinned");
           },
       .run = [self](const CommandArguments&) { self.selection().unpin(); }});
}

}  // namespace

void addSetCommands(CommandRegistry& registry, Workspace& workspace, SliceBook& slices) {
  SetCommands(registry, workspace, slices).add();
  SelectionModel& selection = workspace.selection();
  const auto refresh = [&registry] { registry.refresh(); };
  QObject::connect(&selection, &SelectionModel::selectionChanged, &registry, refresh);
  QObject::connect(&selection, &SelectionModel::filterChanged, &registry, refresh);
  QObject::connect(&selection, &SelectionModel::pinChanged, &registry, refresh);
  QObject::connect(&selection, &SelectionModel::modeChanged, &registry, refresh);
}

}  // namespace qaq::views
