# The catalogue says what there is; everything else in this module only asks it.

locals {
  catalogue = yamldecode(file("${path.module}/../../../../functions/catalogue.yaml"))
  runtime   = "python313"

  # Each function with the defaults filled in.
  functions = {
    for name, function in local.catalogue.functions : name => merge(
      { min_instances = 0, callers = [], secrets = [] }, local.catalogue.defaults, function
    )
  }

  public = { for name, function in local.functions : name => function.trigger.http if can(function.trigger.http) }

  # Private doors are addressed by name; the address is also the audience of the tokens that open them.
  doors_url = "https://${var.region}-${var.project}.cloudfunctions.net"

  # Who holds a role of the catalogue: function to account.
  holders = {
    for role in local.roles : role => {
      for name, function in local.functions : name => module.account[name].email if contains(function.roles, role)
    }
  }

  # The roles that a catalogue may name; what each means is said beside the thing it opens.
  roles = ["store", "tasks", "events", "keys", "signing", "secrets"]
}
