# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_rcornctl_global_optspecs
    string join \n socket= json h/help V/version
end

function __fish_rcornctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_rcornctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_rcornctl_using_subcommand
    set -l cmd (__fish_rcornctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c rcornctl -n "__fish_rcornctl_needs_command" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_needs_command" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -s V -l version -d 'Print version'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "status" -d 'how it goes'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "workers" -d 'what each worker does'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "metrics" -d 'the metrics, as Prometheus reads them'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "settings" -d 'the settings in force, with their origins'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "stacks" -d 'the Python stacks of a worker (its number or process id), or of all'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "reload" -d 'new code, settings or program; waits, and says what became of it'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "scale" -d 'so many workers: N, +N or -N'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "reopen" -d 'open the log files again'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "stop" -d 'finish what is in flight and end'
complete -c rcornctl -n "__fish_rcornctl_needs_command" -f -a "quit" -d 'end now'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand status" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand status" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand status" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand workers" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand workers" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand workers" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand metrics" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand metrics" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand metrics" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand settings" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand settings" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand settings" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand stacks" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand stacks" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand stacks" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand reload" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand reload" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand reload" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand scale" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand scale" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand scale" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand reopen" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand reopen" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand reopen" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand stop" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand stop" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand stop" -s h -l help -d 'Print help'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand quit" -l socket -d 'the control socket itself' -r
complete -c rcornctl -n "__fish_rcornctl_using_subcommand quit" -l json -d 'the answer as it came, in JSON'
complete -c rcornctl -n "__fish_rcornctl_using_subcommand quit" -s h -l help -d 'Print help'
