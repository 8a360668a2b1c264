#!/usr/bin/perl
# Tries from inside a service what its sandbox should deny or allow, and writes a line "name<TAB>outcome" for each to the
# file that is named: "allowed", or the system's word for the refusal. Perl, as it is part of every Debian and can make
# any system call; the numbers are those of x86-64.
use strict;
use warnings;
use Errno;
use Fcntl qw(O_RDONLY O_RDWR O_WRONLY O_CREAT);
use Socket;

my ($report, @devices) = @ARGV;
my ($family_netlink, $family_packet, $family_bluetooth, $family_vsock) = (16, 17, 31, 40);
my ($new_namespace, $new_user, $new_network) = (0x00020000, 0x10000000, 0x40000000);

sub writes { my ($path) = @_; sysopen(my $file, $path, O_WRONLY | O_CREAT, 0644) or return 0; close $file; return 1 }
sub reads { my ($path) = @_; sysopen(my $file, $path, O_RDONLY) or return 0; my $got = sysread($file, my $byte, 1); return defined $got }
sub sockets { my ($family, $type) = @_; return socket(my $socket, $family, $type, 0) }
# In a process of its own: what it succeeds with must not change what is tried next.
sub apart {
    my ($try) = @_;
    pipe(my $from, my $to) or die;
    my $child = fork() // die;
    if ($child == 0) { my $done = $try->(); syswrite($to, $done ? 0 : $! + 0); syscall(231, 0) }
    close $to;
    sysread($from, my $error, 16);
    waitpid($child, 0);
    $! = $error // 0;
    return defined $error && $error == 0;
}
sub calls { my ($number, @args) = @_; return apart(sub { syscall($number, @args) != -1 }) }

my $path_tmp = "/tmp/probe-of-the-test";
my $state = $ENV{STATE_DIRECTORY} // '/var/lib';
my @tries = (
    # What a service of the agent needs.
    ['state folder written', sub { writes("$state/probe") }],
    ['own /tmp written', sub { writes($path_tmp) && unlink($path_tmp) }],
    ['unix socket', sub { sockets(AF_UNIX, SOCK_DGRAM) }],
    ['internet socket', sub { sockets(AF_INET, SOCK_STREAM) }],
    ['internet 6 socket', sub { sockets(10, SOCK_STREAM) }],
    ['netlink socket', sub { sockets($family_netlink, SOCK_RAW) }],
    ['writable memory executed', sub { syscall(9, 0, 4096, 7, 0x22, -1, 0) != -1 }],
    ['connections of this machine read', sub { reads('/proc/net/tcp') }],
    # What nobody should do through it.
    ['/etc written', sub { writes('/etc/probe') }],
    ['/usr written', sub { writes('/usr/probe') }],
    ['/var/log written', sub { writes('/var/log/probe') }],
    ['/home seen', sub { my $folder; opendir($folder, '/home') && scalar(grep { !/^\./ } readdir $folder) }],
    ['/root seen', sub { reads('/root/secret') }],
    ['/tmp of others seen', sub { -e '/tmp/of-others' }],
    ['cgroup made', sub { mkdir('/sys/fs/cgroup/probe') && rmdir('/sys/fs/cgroup/probe') }],
    ['kernel setting written', sub { writes('/proc/sys/net/ipv4/ip_forward') }],
    ['first process seen', sub { -e '/proc/1/status' }],
    ['memory of processes counted', sub { reads('/proc/meminfo') }],
    ['user namespace made', sub { calls(272, $new_user) }],
    ['mount namespace made', sub { calls(272, $new_namespace) }],
    ['network namespace made', sub { calls(272, $new_network) }],
    ['mounted', sub { calls(165, "tmpfs\0", "/mnt\0", "tmpfs\0", 0, "\0") }],
    ['host name set', sub { calls(170, "probe\0", 5) }],
    ['root changed', sub { calls(161, "/mnt\0") }],
    ['packet socket', sub { sockets($family_packet, SOCK_RAW) }],
    ['vsock socket', sub { sockets($family_vsock, SOCK_STREAM) }],
    ['raw socket', sub { socket(my $socket, AF_INET, SOCK_RAW, 1) }],
    ['low port taken', sub { my $s; socket($s, AF_INET, SOCK_STREAM, 0) && bind($s, sockaddr_in(80, INADDR_LOOPBACK)) }],
    ['real-time priority taken', sub { calls(144, 0, 1, pack('i', 1)) }],
    ['priority raised', sub { calls(141, 0, 0, -5) }],
    ['personality changed', sub { calls(135, 0x0008) }],
    ['set-user-id file made', sub { writes("$state/suid") && chmod(04755, "$state/suid") && -u "$state/suid" }],
    ['file given away', sub { writes("$state/given") && chown(12345, 12345, "$state/given") }],
    ['device made', sub { unlink("$state/null"); calls(133, "$state/null\0", 0020666, 0x103) }],
    ['other process traced', sub { calls(101, 0x4206, getppid(), 0, 0) }],
    ['log of the kernel read', sub { calls(103, 3, my $log = "\0" x 64, 64) }],
    ['user changed', sub { calls(105, 0) }],
);
for my $device (@devices) { push @tries, ["device $device", sub { sysopen(my $file, $device, O_RDWR) }] }

open(my $out, '>', $report) or die "$report: $!";
for (@tries) {
    my ($name, $try) = @$_;
    $! = 0;
    my $done = $try->();
    my ($word) = grep { $!{$_} } qw(EPERM EACCES EROFS ENOENT EAFNOSUPPORT EINVAL EEXIST EBUSY ENOTDIR);
    print $out $name, "\t", $done ? 'allowed' : $word // "error " . ($! + 0), "\n";
}
my ($status) = map { local $/; open(my $file, '<', $_) or die; <$file> } '/proc/self/status';
for my $field (qw(NoNewPrivs Seccomp CapBnd CapEff)) { print $out "$field\t$1\n" if $status =~ /^$field:\t(\S+)$/m }
